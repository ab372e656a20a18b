"""What makes that nothing may be concluded from a run."""

import pytest
from msgspec.structs import replace

from harness.aggregate import Aggregate
from harness.runs.validity import finding
from harness.summarise import summarise
from harness.verdict import Finding, Verdict
from tests.support.harness_runs import plan, record

PLAN = plan()


def recorded(count: int = 20) -> Aggregate:
    whole = Aggregate.of(map(record, range(count)), PLAN, planned=20)
    whole.wall_ns, whole.cpu_ns = 1_000, 100
    return whole


WHOLE = summarise(PLAN, recorded())


def test_a_run_that_is_over_and_whole_is_fit() -> None:
    found = finding(PLAN, recorded(), WHOLE)
    assert (found.name, found.verdict) == ("run r", Verdict.PASS)
    assert found.reason == "20 requests, all accounted for"


@pytest.mark.parametrize("name", ["shards", "time", "common start", "every client"])
def test_what_only_a_merge_can_find_is_taken_from_the_summary(name: str) -> None:
    told = Finding(name=name, verdict=Verdict.INVALID, reason="shard 3 was not as it has to be")
    found = finding(PLAN, recorded(), replace(WHOLE, findings=(*WHOLE.findings, told)))
    assert found.verdict is Verdict.INVALID
    assert found.reason == f"{name}: shard 3 was not as it has to be"


def test_records_are_believed_more_than_an_older_summary() -> None:
    told = Finding(name="ledger", verdict=Verdict.INVALID, reason="1 never recorded")
    assert finding(PLAN, recorded(), replace(WHOLE, findings=(told,))).verdict is Verdict.PASS
    assert finding(PLAN, recorded(19), WHOLE).verdict is Verdict.INVALID


def test_a_run_that_goes_on_may_be_watched_and_no_more() -> None:
    found = finding(PLAN, recorded(7), None, watched=True)
    assert (found.verdict, found.reason) == (Verdict.PASS, "7 requests so far")
    assert "it is not over" in finding(PLAN, recorded(), None).reason
