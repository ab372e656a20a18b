"""The same steps by processes of this machine."""

import multiprocessing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from chalicelib.backends.fake.server import FakeServer
from harness.__main__ import cli
from harness.errors import HarnessError
from harness.jobs import local, merge
from harness.jobs.store import store_at
from harness.plan import Plan
from harness.promptsets.store import load
from harness.runs.folder import RunFolder
from harness.verdict import Verdict
from tests.integration.harness.jobs.conftest import KEY, UNMEASURED
from tests.support.jobs import ROWS, asking, plan


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "LATEST_START_S", 1e6)


def a_plan(engine: FakeServer, shards: int) -> Plan:
    load = {"arrivals": {"type": "closed", "concurrency": 6}, "count": 60}
    return asking(plan(load, shards=shards, validity=UNMEASURED), engine.url)


def test_processes_send_together_what_was_planned(engine: FakeServer, tmp_path: Path) -> None:
    told: list[str] = []
    keys = {"arm0": KEY}
    summary = local.run(str(tmp_path / "run"), a_plan(engine, 3), ROWS, keys, told.append)
    assert (summary.verdict, summary.recorded) == (Verdict.PASS, 60)
    assert told[1:] == [f"shard {number} finished" for number in range(3)]


def test_a_process_that_is_killed_is_a_lost_shard(engine: FakeServer, tmp_path: Path) -> None:
    def kill_one(_: str) -> None:
        for child in multiprocessing.active_children():
            if child.name == "shard 1":
                child.kill()

    keys = {"arm0": KEY}
    summary = local.run(str(tmp_path / "run"), a_plan(engine, 2), ROWS, keys, kill_one)
    assert summary.verdict is Verdict.INVALID
    assert summary.recorded == 30
    assert sorted(store_at(str(tmp_path / "run")).names("shards/")) == ["shards/0000.json"]


def test_no_process_is_left_when_it_is_interrupted(engine: FakeServer, tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local.run(str(tmp_path / "run"), a_plan(engine, 2), ROWS, {"arm0": KEY}, interrupt)
    assert multiprocessing.active_children() == []


def command(*arguments: object) -> Result:
    return CliRunner(catch_exceptions=True).invoke(cli, ["jobs", *map(str, arguments)])


@pytest.fixture
def plan_file(engine: FakeServer, tmp_path: Path) -> Path:
    document = msgspec.to_builtins(a_plan(engine, 1))
    document["promptset"] = msgspec.to_builtins(load("tiny").ref())
    path = tmp_path / "plan.json"
    path.write_bytes(msgspec.json.encode(document))
    return path


def test_jobs_run_leaves_a_run_like_any_other(
    plan_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", KEY)
    runs = tmp_path / "runs"
    done = command("run", plan_file, "--shards", 2, "--run-id", "cut", "--output", runs)
    assert done.exit_code == 0, done.output + repr(done.exception)
    folder = RunFolder(runs / "cut")
    assert folder.plan.shards == 2
    assert sorted(record.index for record in folder.records()) == list(range(60))
    assert [path.name for path in runs.iterdir()] == ["cut"]
    again = command("run", plan_file, "--shards", 2, "--run-id", "cut", "--output", runs)
    assert isinstance(again.exception, HarnessError)
    assert "exists already: take another --run-id" in str(again.exception)


def test_jobs_plan_prints_what_the_state_machine_is_started_with(plan_file: Path) -> None:
    done = command("plan", plan_file, "--shards", 3, "--run-id", "r", "--answer-s", 0.5)
    document = msgspec.json.decode(done.stdout)
    assert (document["plan"]["run_id"], document["plan"]["shards"]) == ("r", 3)
    assert document["answer_s"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "exit_code", "reason"),
    [
        (["plan", "{plan}", "--shards", 7], 64, "a concurrency of 6 can't be shared by 7 shards"),
        (["plan", "{plan}", "--shards", 1], 64, "may need 1,200 s"),
        (["plan", "{here}/no-plan", "--shards", 1], 64, r"no-plan.*can't be read"),
        (["plan", "{here}/torn.json", "--shards", 1], 64, r"torn\.json: "),
        (["run", "{plan}", "--shards", 1, "--run-id", "../x"], 64, "run id '../x'"),
        (["fetch", "{here}/nothing", "--output", "{here}/runs"], 69, r"holds no plan\.json"),
        (["fetch", "s3://b", "--output", "{here}/runs"], 64, "s3://<bucket>/runs/<run id>"),
    ],
)
def test_what_can_t_be_done_is_told_and_leaves_nothing(
    plan_file: Path, tmp_path: Path, arguments: list[object], exit_code: int, reason: str
) -> None:
    (tmp_path / "torn.json").write_text('{"run_id": "a')
    filled = [str(one).format(plan=plan_file, here=tmp_path) for one in arguments]
    done = command(*filled)
    assert isinstance(done.exception, HarnessError), done.output
    assert done.exception.exit_code == exit_code
    with pytest.raises(HarnessError, match=reason):
        raise done.exception
    left = {path.name for path in tmp_path.rglob("*")} - {"plan.json", "torn.json", "runs"}
    assert left == set()


def test_a_run_that_is_not_merged_is_not_fetched(engine: FakeServer, tmp_path: Path) -> None:
    from harness.jobs.steps import prepare  # noqa: PLC0415

    prepare(store_at(str(tmp_path / "half")), a_plan(engine, 2), ROWS, start_in_s=0)
    done = command("fetch", tmp_path / "half", "--output", tmp_path / "runs")
    assert "is not merged yet" in str(done.exception)
    assert list((tmp_path / "runs").iterdir()) == []
