"""The daily look at keys: which end soon, what is told of them, and when nothing is."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest

from chalicelib.auth import Key
from chalicelib.connections import Connections
from chalicelib.dynamodb import DynamoDb, Put
from chalicelib.errors import StoreUnavailable
from chalicelib.key_expiry import METRIC, SOON_S, OutOfTime, ends_soon, look
from chalicelib.keys import KeyStore, StoredKey
from chalicelib.secret_store import SecretStore
from chalicelib.telemetry import NAMESPACE, Telemetry
from chalicelib.telemetry.otlp import NullSink
from tests.support.clocks import Clock
from tests.support.dynamodb import Unreliable
from tests.support.local_aws import PEPPER_SECRET, LocalAws

NOW: Final = 1_000_000.0
DAY_S: Final = 86_400


class Kept(logging.Handler):
    """What is logged of keys, whoever else takes logs."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(dict(record.__dict__))


class Looking:
    """A daily look over a real table, with a clock."""

    def __init__(self, aws: Unreliable, tables: dict[str, str]) -> None:
        self.aws = aws
        self.dynamodb = DynamoDb(aws)
        self.keys = KeyStore(
            dynamodb=self.dynamodb,
            secrets=SecretStore(aws),
            keys_table=tables["KEYS_TABLE"],
            audit_table=tables["AUDIT_TABLE"],
            pepper_secret=PEPPER_SECRET,
            clock=Clock(NOW),
        )
        self.telemetry = Telemetry(NullSink())
        self.seconds_left = 60.0

    def keep(self, key: StoredKey) -> None:
        self.dynamodb.put(Put(table=self.keys.keys_table, item=key.to_item()))

    def look(self) -> None:
        look(self.keys, self.telemetry, stage="test", seconds_left=lambda: self.seconds_left)


@pytest.fixture
def looking(aws: LocalAws) -> Iterator[Looking]:
    with closing(Connections()) as connections:
        yield Looking(Unreliable(aws.env(), connections), aws.tables())


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    logger, kept = logging.getLogger("chalicelib.key_expiry"), Kept()
    logger.addHandler(kept)
    yield kept.records
    logger.removeHandler(kept)


def stored(
    *, name: str = "a", expires_at: float | None = None, disabled: bool = False
) -> StoredKey:
    return StoredKey(
        id=Key.new().id,
        name=name,
        teams=("quant",),
        scopes=("invoke",),
        created_at=0,
        created_by="tests",
        expires_at=expires_at,
        disabled=disabled,
        digest="a-digest",
        previous_digest="an-earlier-digest",
    )


def counted(captured: str) -> dict[str, Any]:
    (line,) = (json.loads(one) for one in captured.splitlines() if METRIC in one)
    return dict(line)


@pytest.mark.parametrize(
    ("expires_at", "disabled", "soon"),
    [
        (None, False, False),
        (NOW + 1, False, True),
        (NOW + SOON_S, False, True),
        (NOW + SOON_S + 1, False, False),
        (NOW, False, False),  # it has ended
        (NOW - DAY_S, False, False),
        (NOW + DAY_S, True, False),
    ],
)
def test_a_key_ends_soon_if_somebody_will_miss_it(
    *, expires_at: float | None, disabled: bool, soon: bool
) -> None:
    assert ends_soon(stored(expires_at=expires_at, disabled=disabled), NOW) is soon


def test_where_no_key_ends_soon_zero_is_counted(
    looking: Looking, told: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Or the alarm could never end."""
    looking.keep(stored(expires_at=NOW + 15 * DAY_S))
    looking.keep(stored())
    looking.look()
    assert counted(capsys.readouterr().out)[METRIC] == [0.0]
    assert told == []


def test_each_key_that_ends_soon_is_told_by_what_its_holder_knows(
    looking: Looking, told: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    ending = stored(name="nightly", expires_at=NOW + DAY_S)
    for key in (ending, stored(expires_at=NOW - 1), stored(expires_at=NOW + 1, disabled=True)):
        looking.keep(key)
    looking.look()
    (line,) = told
    assert (line["msg"], line["key_id"], line["key_name"], line["expires_at"]) == (
        "key expires soon",
        ending.id,
        "nightly",
        "1970-01-13T13:46:40+00:00",
    )
    assert "digest" not in str(line)
    assert counted(capsys.readouterr().out)[METRIC] == [1.0]


def test_the_metric_is_of_the_stage(looking: Looking, capsys: pytest.CaptureFixture[str]) -> None:
    """Two stages in one account must not end each other's alarm."""
    looking.look()
    line = counted(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert [sorted(names) for names in directive["Dimensions"]] == [["service", "stage"]]
    assert (line["service"], line["stage"]) == ("gateway", "test")


def test_keys_on_every_page_are_looked_at(
    looking: Looking, told: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = set()
    for number in range(201):
        key = stored(expires_at=NOW + DAY_S if number % 2 else None)
        looking.keep(key)
        ids |= {key.id} if number % 2 else set()
    looking.look()
    assert counted(capsys.readouterr().out)[METRIC] == [100.0]
    assert {line["key_id"] for line in told} == ids


def test_a_store_that_is_away_is_an_error_and_never_zero(
    looking: Looking, capsys: pytest.CaptureFixture[str]
) -> None:
    looking.aws.away = True
    with pytest.raises(StoreUnavailable):
        looking.look()
    assert METRIC not in capsys.readouterr().out


def test_a_look_without_time_for_all_keys_counts_none(
    looking: Looking, told: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    looking.keep(stored(expires_at=NOW + DAY_S))
    looking.seconds_left = 1
    with pytest.raises(OutOfTime):
        looking.look()
    assert told == []
    assert METRIC not in capsys.readouterr().out
