"""What is asked of a run, and the answers."""

import pytest
from msgspec.structs import replace

from harness.aggregate import Aggregate
from harness.findings import at_least, at_most, findings
from harness.histogram import Histogram
from harness.ledger import Ledger
from harness.plan import Plan
from harness.statistics.proportions import wilson
from harness.summarise import summarise
from harness.summary import Summary
from harness.totals import ArmTotals, Checked
from harness.verdict import Finding, Verdict
from tests.support.harness_runs import plan

MS = 1_000
NS_PER_MS = 1_000_000


def arm(requests: int = 1_000, failed: int = 0, **changed: object) -> ArmTotals:
    answered = requests - failed
    made = ArmTotals(
        requests=requests,
        errors={"http_5xx": failed} if failed else {},
        latency=Histogram.of([5 * MS] * answered),
        quality=Checked(requests, answered),
        first_ns=0,
        last_ns=10_000_000_000,
    )
    return replace(made, **changed)


def summary(of: Plan, totals: ArmTotals | None = None, **changed: object) -> Summary:
    totals = totals or arm()
    made = Aggregate(
        ledger=Ledger.of(range(1_000)),
        arms={"a": totals},
        planned=1_000,
        wall_ns=2_000 * NS_PER_MS,
        cpu_ns=100 * NS_PER_MS,
        loop_lag=Histogram.of([100] * 100),
    )
    return summarise(of, replace(made, **changed))


def found(whole: Summary, name: str) -> Finding | None:
    return next((finding for finding in whole.findings if finding.name == name), None)


def verdict(whole: Summary, name: str) -> Verdict | None:
    finding = found(whole, name)
    return finding.verdict if finding else None


OPEN = {"arrivals": {"type": "constant", "rate": 100.0}, "count": 1_000}


def test_a_healthy_run_passes() -> None:
    whole = summary(plan(expect={"min_pass_rate": 0.9}))

    assert whole.verdict is Verdict.PASS
    assert [finding.name for finding in whole.findings] == [
        "ledger",
        "error rate",
        "pass rate",
        "loop lag p99",
        "CPU share",
    ]
    assert whole.arms[0].requests_per_s == 100


def test_a_lost_record_makes_it_invalid_whatever_else_is_good() -> None:
    whole = summary(plan(), ledger=Ledger.of(range(999)))

    assert whole.verdict is Verdict.INVALID
    assert whole.findings[0].name == "ledger"
    assert (whole.planned, whole.recorded) == (1_000, 999)


def test_all_failed_is_fail_and_a_pass_rate_of_0() -> None:
    whole = summary(plan(), arm(1_000, 1_000))

    rate = whole.arms[0].pass_rate
    assert rate is not None
    assert (whole.verdict, rate.value) == (Verdict.FAIL, 0)
    answers = found(whole, "answers")
    assert answers is not None
    assert answers.reason == (
        "not one of 1,000 requests was answered: 1,000 http_5xx: the server failed"
    )


def test_nothing_measured_is_inconclusive() -> None:
    whole = summary(plan(), arm(0), ledger=Ledger(), planned=0)

    assert whole.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("failed", "expected"),
    [(0, Verdict.PASS), (5, Verdict.INCONCLUSIVE), (15, Verdict.INCONCLUSIVE), (40, Verdict.FAIL)],
)
def test_the_error_rates_whole_interval_decides(failed: int, expected: Verdict) -> None:
    assert verdict(summary(plan(expect={}), arm(1_000, failed)), "error rate") is expected


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (950, Verdict.PASS),
        (905, Verdict.INCONCLUSIVE),
        (895, Verdict.INCONCLUSIVE),
        (850, Verdict.FAIL),
    ],
)
def test_the_pass_rates_whole_interval_decides(passed: int, expected: Verdict) -> None:
    whole = summary(plan(expect={"min_pass_rate": 0.9}), arm(quality=Checked(1_000, passed)))

    assert verdict(whole, "pass rate") is expected


def test_rows_without_checks_show_nothing_of_the_answers() -> None:
    whole = summary(plan(), arm(quality=Checked()))

    assert verdict(whole, "pass rate") is Verdict.INCONCLUSIVE


def test_it_says_how_many_requests_would_tell() -> None:
    few = at_most("e", wilson(0, 50), 0.01, "failed")
    enough = at_most("e", wilson(0, 381), 0.01, "failed")
    one_less = at_most("e", wilson(0, 380), 0.01, "failed")

    assert few.reason.endswith("too few to tell: it takes 381 requests at least")
    assert [few.verdict, one_less.verdict, enough.verdict] == [
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
        Verdict.PASS,
    ]


def test_as_many_as_would_tell_and_no_verdict_is_too_close_to_the_limit() -> None:
    close = at_least("g", wilson(61, 66), 0.9, "met the objectives")

    assert close.verdict is Verdict.INCONCLUSIVE
    assert close.reason.endswith("too close to the limit for 66 requests to tell")


@pytest.mark.parametrize(
    ("count", "expected"), [(0, Verdict.PASS), (1, Verdict.FAIL), (50, Verdict.FAIL)]
)
def test_a_limit_of_none_asks_for_none_of_those_seen(count: int, expected: Verdict) -> None:
    """No number of requests shows that there never is one."""
    none = at_most("e", wilson(count, 50), 0.0, "failed")
    every = at_least("p", wilson(50 - count, 50), 1.0, "passed")

    assert [none.verdict, every.verdict] == [expected, expected]
    assert none.reason.endswith("at most 0 % is allowed, which is none of those seen")
    assert every.reason.endswith("at least 100 % is asked, which is all of those seen")


def test_of_nothing_seen_not_even_none_is_known() -> None:
    assert at_most("e", wilson(0, 0), 0.0, "failed").verdict is Verdict.INCONCLUSIVE
    assert at_least("p", wilson(0, 0), 1.0, "passed").verdict is Verdict.INCONCLUSIVE


def test_nearly_all_is_not_said_to_be_all() -> None:
    nearly = at_least("p", wilson(9_999_999, 10_000_000), 0.9999995, "passed")

    assert "passed: 99.99999 %" in nearly.reason
    assert "at least 99.99995 % is asked" in nearly.reason


def test_goodput_is_judged_where_objectives_are() -> None:
    asked = plan(slo={"latency_ms": 10}, expect={"min_goodput": 0.9})

    assert verdict(summary(asked, arm(good=990)), "goodput") is Verdict.PASS
    assert verdict(summary(asked, arm(good=500)), "goodput") is Verdict.FAIL


@pytest.mark.parametrize(("lag_ms", "expected"), [(2, Verdict.PASS), (3, Verdict.INVALID)])
def test_dispatch_lag_is_asked_of_an_open_loop(lag_ms: int, expected: Verdict) -> None:
    lag = Histogram.of([0] * 989 + [lag_ms * MS - 1] * 11)

    open_loop = summary(plan(load=OPEN, validity={}), dispatch_lag=lag)

    assert verdict(open_loop, "dispatch lag p99") is expected
    assert verdict(summary(plan(validity={}), dispatch_lag=lag), "dispatch lag p99") is None


def test_one_in_a_hundred_may_be_late() -> None:
    lag = Histogram.of([0] * 990 + [500 * MS] * 10)

    whole = summary(plan(load=OPEN, validity={}), dispatch_lag=lag)

    assert verdict(whole, "dispatch lag p99") is Verdict.PASS


def test_a_client_that_was_busy_or_late_was_measured_instead() -> None:
    late = summary(plan(validity={}), loop_lag=Histogram.of([30 * MS]))
    busy = summary(plan(validity={}), wall_ns=100, cpu_ns=95)
    idle = summary(plan(validity={}), wall_ns=100, cpu_ns=50)

    assert verdict(late, "loop lag p99") is Verdict.INVALID
    assert verdict(busy, "CPU share") is Verdict.INVALID
    assert verdict(idle, "CPU share") is Verdict.PASS


@pytest.mark.parametrize("changed", [{"refused": 3}, {}])
def test_requests_that_were_not_sent_make_it_invalid(changed: dict[str, int]) -> None:
    totals = arm(errors={"client_limit": 3})

    whole = summary(plan(load=OPEN), totals, **changed)

    finding = found(whole, "in flight")
    assert finding is not None
    assert (finding.verdict, finding.measured) == (Verdict.INVALID, 3)


@pytest.mark.parametrize(
    ("cached", "counted", "unique", "expected"),
    [
        (11, 100, False, Verdict.INVALID),
        (11, 100, True, Verdict.INVALID),
        (10, 100, False, Verdict.PASS),
        (0, 0, True, Verdict.PASS),
        (0, 0, False, Verdict.INCONCLUSIVE),
    ],
)
def test_reuse_of_prefixes(cached: int, counted: int, unique: bool, expected: Verdict) -> None:  # noqa: FBT001
    asked = plan(validity={"prefix_reuse": 0.1}, generation={"unique_prefix": unique})

    whole = summary(asked, arm(cached_tokens=cached, cache_counted=counted))

    assert verdict(whole, "prefix reuse") is expected


def test_reuse_is_not_asked_for_where_all_of_it_is_allowed() -> None:
    whole = summary(plan(), arm(cached_tokens=100, cache_counted=100))

    assert verdict(whole, "prefix reuse") is None


def test_each_of_two_arms_is_asked_by_its_name() -> None:
    arms = [{"name": name, "url": "http://x", "model": "m"} for name in ("one", "two")]

    whole = summary(plan(arms=arms), arms={"one": arm(), "two": arm(1_000, 1_000)})

    assert verdict(whole, "error rate (one)") is Verdict.PASS
    assert verdict(whole, "error rate (two)") is Verdict.FAIL
    assert whole.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("slo", "expected"), [({}, Verdict.PASS), ({"latency_ms": 500}, Verdict.INVALID)]
)
def test_a_late_client_is_held_against_a_run_that_is_asked_of_times(
    slo: dict[str, float], expected: Verdict
) -> None:
    late = summary(
        plan(validity={"loop_lag_p99_ms": None}, slo=slo), loop_lag=Histogram.of([30 * MS])
    )

    assert verdict(late, "loop lag p99") is expected


@pytest.mark.parametrize("slo", [{}, {"latency_ms": 500}])
@pytest.mark.parametrize(
    "unrecorded", [{"wall_ns": 0, "cpu_ns": 0, "loop_lag": Histogram()}, {"loop_lag": Histogram()}]
)
def test_a_client_of_which_nothing_is_known_is_not_taken_for_fit(
    unrecorded: dict[str, object], slo: dict[str, float]
) -> None:
    whole = summary(plan(validity={}, slo=slo), None, **unrecorded)

    assert whole.verdict is Verdict.INVALID
    finding = found(whole, "loop lag p99")
    assert finding is not None
    assert finding.verdict is Verdict.INVALID
    assert finding.reason.startswith("the client's own health was not recorded")


def test_a_client_that_ran_too_shortly_to_probe_its_loop_is_fit() -> None:
    whole = summary(plan(validity={}), wall_ns=5 * NS_PER_MS, cpu_ns=1, loop_lag=Histogram())

    assert whole.verdict is Verdict.PASS


def test_a_late_client_is_held_against_a_run_whose_times_are_asked_later() -> None:
    of = plan(validity={"loop_lag_p99_ms": None})
    late = Aggregate(arms={"a": arm()}, wall_ns=NS_PER_MS, loop_lag=Histogram.of([30 * MS]))

    verdicts = [
        next(one.verdict for one in findings(of, late, timed=timed) if one.name == "loop lag p99")
        for timed in (False, True)
    ]

    assert verdicts == [Verdict.PASS, Verdict.INVALID]
