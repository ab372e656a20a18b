"""A run's objects in a folder."""

from pathlib import Path

import pytest

from harness.errors import AbsentError, StoreError, WrongInput
from harness.jobs.store import FolderStore, checked_run_id, store_at


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "run")


def test_what_was_put_is_got(store: FolderStore) -> None:
    store.put("records/0000-a-0000.jsonl", b"{}\n")
    assert store.get("records/0000-a-0000.jsonl") == b"{}\n"


def test_put_replaces(store: FolderStore) -> None:
    store.put("summary.json", b"first, and longer")
    store.put("summary.json", b"second")
    assert store.get("summary.json") == b"second"


def test_the_first_to_put_new_wins(store: FolderStore) -> None:
    assert (store.put_new("a.json", b"first"), store.put_new("a.json", b"second")) == (True, False)
    assert store.get("a.json") == b"first"


def test_names_are_those_with_the_prefix_in_order(store: FolderStore) -> None:
    for name in ("shards/0001.json", "shards.json", "shards/0000.json", "records/0.jsonl"):
        store.put(name, b"")
    assert list(store.names("shards/")) == ["shards/0000.json", "shards/0001.json"]


def test_of_a_store_that_holds_nothing_there_are_no_names(store: FolderStore) -> None:
    assert list(store.names("")) == []


def test_nothing_unfinished_is_left(store: FolderStore, tmp_path: Path) -> None:
    store.put("a", b"1")
    store.put_new("a", b"2")
    store.put_new("b", b"3")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["a", "b"]


def test_what_is_absent_is_named(store: FolderStore) -> None:
    with pytest.raises(AbsentError, match=r"run holds no plan\.json"):
        store.get("plan.json")


@pytest.mark.parametrize("put", ["put", "put_new"])
def test_a_folder_that_can_t_be_written_is_a_store_error(tmp_path: Path, put: str) -> None:
    (tmp_path / "run").write_text("a file stands in the way")
    with pytest.raises(StoreError, match=r"run/plan\.json can't be written: "):
        getattr(FolderStore(tmp_path / "run"), put)("plan.json", b"")


@pytest.mark.parametrize("run_id", ["", "..", ".hidden", "a/b", "a b", "ä", "a" * 65, "a\n"])
def test_a_run_id_that_could_be_a_path_is_refused(run_id: str) -> None:
    with pytest.raises(WrongInput, match="1 to 64 letters"):
        checked_run_id(run_id)


@pytest.mark.parametrize("where", ["s3://", "s3://bucket", "s3://bucket/", "s3:///runs/a"])
def test_a_run_in_s3_has_a_bucket_and_a_place_in_it(where: str) -> None:
    with pytest.raises(WrongInput, match="s3://<bucket>/runs/<run id>"):
        store_at(where)
