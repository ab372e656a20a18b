"""What was judged stays judged."""

from pathlib import Path

import msgspec
import pytest

from harness.errors import StoreError
from harness.judge import journal


class Entry(msgspec.Struct):
    number: int


def test_entries_come_back_in_order_and_another_process_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "new" / "entries.jsonl"
    for number in (1, 2):
        with journal.Journal(path) as entries:
            entries.add(Entry(number=number))
    assert journal.read(path, Entry) == [Entry(1), Entry(2)]


def test_a_torn_last_line_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "entries.jsonl"
    path.write_bytes(b'{"number":1}\n{"num')
    assert journal.read(path, Entry) == [Entry(1)]
    with journal.Journal(path) as entries:
        entries.add(Entry(number=2))
    assert journal.read(path, Entry) == [Entry(1), Entry(2)]


def test_a_damaged_line_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "entries.jsonl"
    path.write_bytes(b'{"number":1}\n{"number":"x"}\n')
    with pytest.raises(StoreError, match="line 2 is damaged"):
        journal.read(path, Entry)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be written"):
        journal.Journal(tmp_path / "file" / "entries.jsonl")
    with pytest.raises(StoreError, match="can't be written"):
        journal.write(tmp_path / "file" / "result.json", {})


def test_a_full_disk_is_told() -> None:
    with (
        pytest.raises(StoreError, match="can't be written: No space left"),
        journal.Journal(Path("/dev/full")) as entries,
    ):
        entries.add(Entry(number=1))
