"""Runs that are killed, stopped, or find the disk full, and go on."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Condition

import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.runs.folder import RunFolder
from harness.verdict import Verdict
from tests.support.harness_runs import plan, process, promptset, rows, said


class Counted:
    """An engine's answer that counts how often it was given."""

    def __init__(self) -> None:
        self.given = 0
        self._changed = Condition()

    def __call__(self, _: str) -> str:
        with self._changed:
            self.given += 1
            self._changed.notify_all()
        return "yes 4"

    def wait_for(self, more: int) -> None:
        with self._changed:
            upto = self.given + more
            assert self._changed.wait_for(lambda: self.given >= upto, timeout=60)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def engine(counted: Counted) -> Iterator[FakeServer]:
    with FakeServer(Behaviour(answer=counted, latency_s=0.01)) as server:
        yield server


def created(path: Path, url: str, **changed: object) -> RunFolder:
    return RunFolder.create(path, plan(url, **changed), rows())


def verdict_of_ledger(folder: RunFolder) -> Verdict:
    summary = folder.summary
    assert summary is not None
    return next(one.verdict for one in summary.findings if one.name == "ledger")


def killed(folder: RunFolder, counted: Counted, after: int) -> None:
    with process("run", "--resume", str(folder.path)) as running:
        counted.wait_for(after)
        running.kill()
    assert running.returncode == -signal.SIGKILL


def resumed(folder: RunFolder) -> tuple[int, str]:
    with process("run", "--resume", str(folder.path), "--no-report") as running:
        _, told = running.communicate(timeout=120)
    return running.returncode, told


@pytest.mark.parametrize(
    "load",
    [
        {"arrivals": {"type": "closed", "concurrency": 7}, "count": 400},
        {"arrivals": {"type": "constant", "rate": 150.0}, "count": 400},
        {"arrivals": {"type": "poisson", "rate": 150.0}, "count": 400},
    ],
    ids=lambda load: load["arrivals"]["type"],
)
def test_killed_again_and_again_no_request_is_lost_and_none_counted_twice(
    engine: FakeServer, counted: Counted, tmp_path: Path, load: dict[str, object]
) -> None:
    folder = created(tmp_path / "r", engine.url, load=load)
    for after in (40, 75, 110):
        killed(folder, counted, after)

    code, told = resumed(folder)

    assert (code, told) == (0, "")
    assert sorted(record.index for record in folder.records()) == list(range(400))
    assert verdict_of_ledger(folder) is Verdict.PASS
    assert folder.segments == 4
    again = RunFolder(folder.path)
    assert again.summary is not None
    assert (again.summary.recorded, again.summary.client.segments) == (400, 4)


def test_run_time_goes_on_where_it_stood(
    engine: FakeServer, counted: Counted, tmp_path: Path
) -> None:
    load = {"arrivals": {"type": "constant", "rate": 100.0}, "count": 200}
    folder = created(tmp_path / "r", engine.url, load=load)
    killed(folder, counted, 60)
    stood = max(record.end_ns for record in folder.records())
    before = len(list(folder.records()))

    resumed(folder)

    later = list(folder.records())[before:]
    assert later
    assert all(record.planned_ns >= stood for record in later)
    assert all(record.end_ns >= record.sent_ns >= record.planned_ns for record in later)


def test_a_run_by_time_is_killed_and_asks_again_what_was_on_its_way(
    engine: FakeServer, counted: Counted, tmp_path: Path
) -> None:
    load = {"arrivals": {"type": "closed", "concurrency": 7}, "duration_s": 2.0}
    folder = created(tmp_path / "r", engine.url, load=load)
    killed(folder, counted, 60)

    code, told = resumed(folder)

    indices = sorted(record.index for record in folder.records())
    assert (code, told) == (0, "")
    assert indices == list(range(len(indices)))
    assert verdict_of_ledger(folder) is Verdict.PASS
    assert max(record.end_ns for record in folder.records()) >= 2_000_000_000


def test_a_run_by_time_whose_time_is_up_asks_only_what_was_lost(
    engine: FakeServer, counted: Counted, tmp_path: Path
) -> None:
    load = {"arrivals": {"type": "closed", "concurrency": 7}, "duration_s": 0.5}
    folder = created(tmp_path / "r", engine.url, load=load)
    resumed(folder)
    (folder.path / "summary.json").unlink()
    records = folder.path / "records" / "0000.jsonl"
    lines = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join([*lines[:3], *lines[5:]]))
    given = counted.given

    resumed(folder)

    indices = sorted(record.index for record in folder.records())
    assert indices == list(range(len(lines)))
    assert counted.given == given + 2
    assert verdict_of_ledger(folder) is Verdict.PASS


def test_a_run_by_time_whose_time_is_up_asks_the_last_ones_counterpart(
    engine: FakeServer, tmp_path: Path
) -> None:
    load = {"arrivals": {"type": "closed", "concurrency": 4}, "duration_s": 0.2}
    arms = [{"name": name, "url": engine.url, "model": name} for name in ("a", "b")]
    folder = created(tmp_path / "r", engine.url, load=load, arms=arms)
    resumed(folder)
    (folder.path / "summary.json").unlink()
    planned = 1 + max(record.index for record in folder.records())
    records = folder.path / "records" / "0000.jsonl"
    kept = [
        line
        for line in records.read_bytes().splitlines(keepends=True)
        if json.loads(line)["index"] != planned - 1
    ]
    records.write_bytes(b"".join(kept))

    resumed(folder)

    assert sorted(record.index for record in folder.records()) == list(range(planned))
    assert verdict_of_ledger(folder) is Verdict.PASS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_it_keeps_its_records_and_says_how_to_go_on(
    engine: FakeServer, counted: Counted, tmp_path: Path, number: signal.Signals
) -> None:
    load = {"arrivals": {"type": "closed", "concurrency": 7}, "count": 2_000}
    folder = created(tmp_path / "r", engine.url, load=load)
    with process("run", "--resume", str(folder.path)) as running:
        counted.wait_for(50)
        running.send_signal(number)
        _, told = running.communicate(timeout=60)

    assert running.returncode == 130
    assert f"python -m harness run --resume {folder.path}" in told
    assert "Traceback" not in told
    assert len(list(folder.records())) >= 43  # all but those that were on their way
    assert folder.summary is None


def test_a_full_disk_is_told_what_is_recorded_stays_and_it_goes_on(
    engine: FakeServer, tmp_path: Path
) -> None:
    folder = created(
        tmp_path / "r",
        engine.url,
        load={"arrivals": {"type": "closed", "concurrency": 7}, "count": 300},
    )
    with process("run", "--resume", str(folder.path), file_limit=20_000) as running:
        _, told = running.communicate(timeout=60)

    assert running.returncode == 69
    assert "0000.jsonl can't be written: File too large" in told
    assert f"go on with: python -m harness run --resume {folder.path}" in told
    assert "Traceback" not in told
    kept = [record.index for record in folder.records()]
    assert 0 < len(kept) < 300

    code, _ = resumed(folder)

    assert code == 0
    assert sorted(record.index for record in folder.records()) == list(range(300))


def test_two_processes_do_not_record_one_run(engine: FakeServer, tmp_path: Path) -> None:
    folder = created(tmp_path / "r", engine.url)
    with folder.lock():
        code, told = resumed(folder)

    assert code == 69
    assert "is being recorded by another process" in told
    assert not list(folder.records())


def test_ctrl_c_while_a_run_is_new_leaves_one_that_can_be_resumed(
    engine: FakeServer, counted: Counted, tmp_path: Path
) -> None:
    arguments = [
        *("run", "--url", engine.url, "--promptset", str(promptset(tmp_path / "set"))),
        *("--plan", str(said([], tmp_path / "plan.toml")), "--repeat", "50"),
        *("--output", str(tmp_path / "runs")),
    ]
    with process(*arguments) as running:
        counted.wait_for(30)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    (path,) = (tmp_path / "runs").iterdir()

    assert running.returncode == 130
    assert 0 < len(list(RunFolder(path).records())) < 1_000
