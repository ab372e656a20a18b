"""The log of a run survives what ends the process that writes it."""

from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.recovery.observations import Footprint, Generated, Log, Position, Scored, read

ANSWER = Generated(arm="reference", prompt_id="one", output="4", prompt_ids=(1, 2), token_ids=(3,))
SCORES = Scored(
    arm="repeat",
    prompt_id="one",
    positions=(Position(ids=(3, 4), logprobs=(-0.1, -2.5), ranks=(1, 2)),),
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recovery.jsonl"
    with Log(path) as log:
        log.append(ANSWER)
        log.append(SCORES)

    assert list(read(path)) == [ANSWER, SCORES]


def test_a_line_that_was_cut_off_counts_as_not_written_and_is_written_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "recovery.jsonl"
    with Log(path) as log:
        log.append(ANSWER)
        log.append(SCORES)
    path.write_bytes(path.read_bytes()[:-9])

    assert list(read(path)) == [ANSWER]
    with Log(path) as log:
        log.append(SCORES)
    assert list(read(path)) == [ANSWER, SCORES]


def test_a_damaged_line_in_the_middle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recovery.jsonl"
    path.write_bytes(b'{"type":"generated"\n')

    with pytest.raises(StoreError, match="line 1 is damaged"):
        list(read(path))


def test_only_one_process_records(tmp_path: Path) -> None:
    path = tmp_path / "recovery.jsonl"
    with Log(path), pytest.raises(StoreError, match="another process"):
        Log(path)


def test_a_full_disk_is_told() -> None:
    """/dev/full takes the file and refuses the write."""
    with Log.__new__(Log) as log:
        log.path = Path("/dev/full")
        log._file = log.path.open("wb", buffering=0)
        with pytest.raises(StoreError, match="No space left"):
            log.append(Footprint(arm="reference"))
