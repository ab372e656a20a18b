"""A run's objects in S3, against moto."""

from collections.abc import Iterator

import pytest

from harness import aws as aws_session
from harness.errors import AbsentError, StoreError
from harness.jobs.store import Store, store_at
from tests.support.jobs import bucket_in
from tests.support.local_aws import LocalAws


@pytest.fixture
def store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in aws.env().items():
        monkeypatch.setenv(name, value)
    return store_at(f"s3://{bucket_in(aws)}/runs/a-run")


def test_what_was_put_is_got_and_named(store: Store) -> None:
    store.put("shards/0001.json", b"one")
    store.put("shards/0000.json", b"zero")
    store.put("shards.json", b"[]")
    assert list(store.names("shards/")) == ["shards/0000.json", "shards/0001.json"]
    assert store.get("shards/0001.json") == b"one"


def test_put_replaces(store: Store) -> None:
    store.put("summary.json", b"first")
    store.put("summary.json", b"second")
    assert store.get("summary.json") == b"second"


def test_the_first_to_put_new_wins(store: Store) -> None:
    assert (store.put_new("a", b"first"), store.put_new("a", b"second")) == (True, False)
    assert store.get("a") == b"first"


def test_more_objects_than_one_page_lists_are_all_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")  # S3's pages are of 1,000
    expected = [f"shards/{number:04d}.json" for number in range(7)]
    for name in expected:
        store.put(name, b"")
    assert list(store.names("shards/")) == expected


def test_what_is_absent_is_named(store: Store) -> None:
    with pytest.raises(AbsentError, match=r"s3://runs-\w+/runs/a-run holds no plan\.json"):
        store.get("plan.json")


@pytest.mark.usefixtures("store")
def test_a_missing_bucket_is_told_with_what_to_do() -> None:
    gone = store_at("s3://no-such-bucket-anywhere/runs/a")
    advice = "bucket no-such-bucket-anywhere does not exist: create it"
    with pytest.raises(StoreError, match=advice):
        gone.put("plan.json", b"{}")
    with pytest.raises(StoreError, match=advice):
        gone.put_new("plan.json", b"{}")
    with pytest.raises(StoreError, match=advice):
        gone.get("plan.json")
    with pytest.raises(StoreError, match=advice):
        list(gone.names(""))


@pytest.fixture
def _own_session() -> Iterator[None]:
    """A session remembers the credentials that it found."""
    aws_session._session.cache_clear()
    yield
    aws_session._session.cache_clear()


@pytest.mark.usefixtures("_own_session")
def test_without_credentials_it_says_so(
    monkeypatch: pytest.MonkeyPatch, aws: LocalAws, tmp_path: object
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    with pytest.raises(StoreError, match="bucket b: there are no AWS credentials: set AWS_PROFILE"):
        store_at("s3://b/runs/a").get("plan.json")


def test_an_s3_that_can_t_be_reached_is_told(
    monkeypatch: pytest.MonkeyPatch, aws: LocalAws
) -> None:
    for name, value in aws.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError, match="bucket b: S3 can't be reached: "):
        store_at("s3://b/runs/a").get("plan.json")
