"""A run on disk."""

import resource
from pathlib import Path

import msgspec
import pytest

from harness import records
from harness.errors import PlanError, StoreError, WrongInput
from harness.histogram import Histogram
from harness.load.health import Pulse
from harness.records import Record
from harness.runs.folder import RunFolder
from harness.summarise import summarise
from harness.verdict import Verdict
from tests.support.harness_runs import plan, rows

PULSE = Pulse(
    at_ns=1, wall_ns=10, cpu_ns=5, loop_lag=Histogram.of([3]), in_flight=0, sent=1, refused=0
)


def record(index: int) -> Record:
    return Record(
        index=index,
        arm="a",
        prompt_id=f"p{index % 20}",
        planned_ns=index,
        sent_ns=index,
        end_ns=index + 1_000,
        status=200,
        output="yes 4" if index % 2 else "no",
        finish_reason="stop",
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs" / "r", plan(), rows())


def recorded(folder: RunFolder, *indices: int) -> None:
    with folder.segment() as segment:
        for index in indices:
            segment.records.append(records.encode(record(index)))
        segment.health.append(msgspec.json.encode(PULSE))


def test_what_was_written_is_read(folder: RunFolder) -> None:
    recorded(folder, 0, 1)
    recorded(folder, 2)
    again = RunFolder(folder.path)

    assert again.plan == plan()
    assert again.rows == rows()
    assert list(again.records()) == [record(0), record(1), record(2)]
    assert list(again.health()) == [PULSE, PULSE]
    assert again.segments == 2
    assert again.summary is None


def test_records_and_promptset_give_the_whole_aggregate(folder: RunFolder) -> None:
    recorded(folder, *range(10))
    recorded(folder, *range(10, 20))

    aggregate = folder.aggregate(planned=20)

    totals = aggregate.arms["a"]
    assert (totals.quality.checked, totals.quality.passed) == (20, 10)
    assert {name: one.passed for name, one in totals.by_category.items()} == {"even": 0, "odd": 10}
    assert (aggregate.segments, aggregate.wall_ns, aggregate.planned) == (2, 20, 20)


def test_a_summary_comes_back_as_it_was(folder: RunFolder) -> None:
    recorded(folder, *range(20))
    summary = summarise(folder.plan, folder.aggregate(planned=20))

    folder.write_summary(summary)

    assert RunFolder(folder.path).summary == summary
    assert folder.aggregate().planned == 20


def test_answers_are_not_graded_where_nobody_asks(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", plan(expect={}), rows())
    recorded(folder, *range(20))

    assert folder.aggregate().arms["a"].quality.checked == 0


def test_a_torn_end_is_not_read_and_is_cut_off(folder: RunFolder) -> None:
    recorded(folder, 0, 1)
    path = folder.path / "records" / "0000.jsonl"
    path.write_bytes(path.read_bytes()[:-7])

    assert list(folder.records()) == [record(0)]
    with folder.lock():
        folder.mend()
    recorded(folder, 1)
    assert list(folder.records()) == [record(0), record(1)]


@pytest.mark.parametrize("damage", [b"\0\0\0\n", b"{}\n", b'{"index":"x"}\n', b"\xff\n"])
def test_damage_in_the_middle_names_file_and_line(folder: RunFolder, damage: bytes) -> None:
    recorded(folder, 0)
    path = folder.path / "records" / "0000.jsonl"
    path.write_bytes(path.read_bytes() + damage + records.encode(record(1)) + b"\n")

    with pytest.raises(StoreError, match=r"records/0000\.jsonl: line 2 is damaged"):
        list(folder.records())


def test_a_segment_that_was_cut_after_the_next_one_began_is_damage(folder: RunFolder) -> None:
    recorded(folder, 0)
    recorded(folder, 1)
    path = folder.path / "records" / "0000.jsonl"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(StoreError, match=r"records/0000\.jsonl: line 1 is cut off"):
        list(folder.records())


def test_only_one_process_records(folder: RunFolder) -> None:
    with (
        folder.lock(),
        pytest.raises(StoreError, match="is being recorded by another process"),
        RunFolder(folder.path).lock(),
    ):
        pass
    with RunFolder(folder.path).lock():
        pass


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=r"none is not a run: there is no plan\.json in it"):
        _ = RunFolder(tmp_path / "none").plan
    with pytest.raises(StoreError, match="none can't be read"), RunFolder(tmp_path / "none").lock():
        pass


@pytest.mark.parametrize(
    ("content", "error"), [(b"{", StoreError), (b"{}", PlanError), (b"[]", PlanError)]
)
def test_a_damaged_plan_is_told(folder: RunFolder, content: bytes, error: type[Exception]) -> None:
    (folder.path / "plan.json").write_bytes(content)

    with pytest.raises(error):
        _ = RunFolder(folder.path).plan


def test_a_damaged_summary_is_told(folder: RunFolder) -> None:
    (folder.path / "summary.json").write_bytes(b"{")

    with pytest.raises(StoreError, match=r"summary\.json"):
        _ = folder.summary


def test_a_run_is_not_written_over(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match="File exists"):
        RunFolder.create(folder.path, plan(), rows())

    assert folder.plan == plan()


def test_nothing_is_left_of_a_run_for_which_there_is_no_room(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StoreError, match=r"prompts\.jsonl can't be written"):
            RunFolder.create(tmp_path / "r", plan(), rows())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_prompt_is_told_by_its_record(folder: RunFolder) -> None:
    with folder.segment() as segment:
        segment.records.append(
            records.encode(msgspec.structs.replace(record(0), prompt_id="stranger"))
        )

    with pytest.raises(StoreError, match="stranger"):
        folder.aggregate()


def test_a_record_of_an_unknown_arm_is_told(folder: RunFolder) -> None:
    with folder.segment() as segment:
        segment.records.append(records.encode(msgspec.structs.replace(record(0), arm="stranger")))

    with pytest.raises(StoreError, match="stranger"):
        folder.aggregate()


def test_times_that_run_backwards_are_told(folder: RunFolder) -> None:
    with folder.segment() as segment:
        segment.records.append(records.encode(msgspec.structs.replace(record(5_000), end_ns=0)))

    with pytest.raises(StoreError, match="no negative values"):
        folder.aggregate()


def test_prompts_that_were_cut_off_are_damage(folder: RunFolder) -> None:
    path = folder.path / "prompts.jsonl"
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(StoreError, match=r"prompts\.jsonl: line 20 is cut off"):
        _ = folder.rows


def test_an_empty_run_is_inconclusive_at_best(folder: RunFolder) -> None:
    summary = summarise(folder.plan, folder.aggregate())

    assert summary.verdict is Verdict.INCONCLUSIVE
