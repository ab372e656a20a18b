from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger import Ledger
from harness.verdict import Verdict

indices = st.lists(st.integers(0, 60))


def test_every_planned_request_once_is_a_pass() -> None:
    finding = Ledger.of(range(1000)).finding(1000)

    assert finding.verdict is Verdict.PASS
    assert finding.reason == "all 1,000 planned requests are recorded exactly once"


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ([0, 1, 4], "2 never recorded, e.g. 2 to 3"),
        ([0, 1, 2, 3], "1 never recorded, e.g. 4"),
        ([0, 1, 2, 3, 4, 4, 2], "2 recorded more than once, e.g. 2, 4"),
        ([0, 1, 2, 3, 4, 7], "1 recorded without having been planned"),
        ([], "5 never recorded, e.g. 0 to 4"),
    ],
)
def test_what_does_not_add_up_is_invalid(recorded: list[int], reason: str) -> None:
    finding = Ledger.of(recorded).finding(5)

    assert finding.verdict is Verdict.INVALID
    assert finding.reason == reason


@given(st.lists(indices))
def test_ledgers_of_shards_merge_to_the_ledger_of_the_whole(shards: list[list[int]]) -> None:
    merged = Ledger()
    for shard in shards:
        merged = merged.merged(Ledger.of(shard))

    whole = Ledger.of(chain.from_iterable(shards))
    assert merged.ranges == whole.ranges
    assert merged.doubled == whole.doubled


@given(indices, st.integers(0, 80))
def test_missing_is_what_was_planned_and_not_recorded(recorded: list[int], planned: int) -> None:
    ranges = Ledger.of(recorded).missing(planned)

    assert {index for low, high in ranges for index in range(low, high)} == set(
        range(planned)
    ) - set(recorded)
