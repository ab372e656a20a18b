"""Files of whole lines, whatever happens to who writes them."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StoreError
from harness.runs.journal import BATCH_BYTES, Journal, lines_of, mend, write_whole


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The disk is full there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_lines_are_there_once_they_are_flushed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "of" / "lines")
    journal.append(b"1")
    journal.append(b"2")
    assert journal.path.read_bytes() == b""

    journal.flush()

    assert journal.path.read_bytes() == b"1\n2\n"
    journal.close()


def test_a_full_batch_is_written_without_being_asked(tmp_path: Path) -> None:
    with Journal(tmp_path / "lines") as journal:
        journal.append(b"x" * (BATCH_BYTES - 1))

        assert journal.path.stat().st_size == BATCH_BYTES


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"old\n")

    with pytest.raises(StoreError, match="lines can't be written: File exists"):
        Journal(tmp_path / "lines")

    assert (tmp_path / "lines").read_bytes() == b"old\n"


def test_on_a_full_disk_whole_lines_stay_and_the_failure_is_told(tmp_path: Path) -> None:
    with no_file_beyond(10):
        journal = Journal(tmp_path / "lines")
        journal.append(b"1234")
        journal.flush()
        journal.append(b"5678")
        journal.append(b"9012")
        journal.flush()
        journal.append(b"never")
        journal.flush()

        assert str(journal.failure) == f"{journal.path} can't be written: File too large"
        with pytest.raises(StoreError, match="File too large"):
            journal.close()

    assert journal.path.read_bytes() == b"1234\n"


@given(
    lines=st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=20),
    data=st.data(),
)
def test_wherever_a_file_was_torn_its_whole_lines_are_read_and_kept(
    lines: list[bytes], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    torn = whole[: data.draw(st.integers(0, len(whole)))]
    path = tmp_path_factory.mktemp("torn") / "lines"
    path.write_bytes(torn)
    kept = torn[: torn.rfind(b"\n") + 1]

    read = [line for _, line in lines_of(path, torn_end=True)]
    cut = mend(path)

    assert b"".join(line + b"\n" for line in read) == kept
    assert (path.read_bytes(), cut) == (kept, len(torn) - len(kept))


def test_a_long_unfinished_line_is_cut_off_too(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"1\n" + b"x" * (3 * BATCH_BYTES))

    mend(path)

    assert path.read_bytes() == b"1\n"


def test_an_unfinished_line_that_was_not_the_last_to_be_written_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"1\n2")

    with pytest.raises(StoreError, match=r"lines: line 2 is cut off"):
        list(lines_of(path, torn_end=False))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="lines can't be read: No such file"):
        list(lines_of(tmp_path / "lines", torn_end=True))
    with pytest.raises(StoreError, match="lines can't be written: No such file"):
        mend(tmp_path / "lines")


def test_a_file_is_replaced_at_once_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "document"
    write_whole(path, b"old")

    with no_file_beyond(10), pytest.raises(StoreError, match="document can't be written"):
        write_whole(path, b"far too much")

    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"
