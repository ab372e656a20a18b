"""A run against a policy."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.compare.gate import GateReport, gate, sides_of
from harness.compare.policy import SHIPPED, Policy, policy_of
from harness.compare.rules import RULES
from harness.errors import PolicyError
from harness.plan import Validity
from harness.verdict import Verdict
from tests.support.compared_runs import MS, Answer, failing, late_shard, right, run_folder, wrong_on


def policy(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return policy_of(str(path))


def answer(tmp_path: Path, text: str, run: Path, baseline: Path | None = None) -> GateReport:
    return gate(policy(tmp_path, text), "policy", *sides_of(run, baseline))


def verdict_of(found: GateReport, name: str) -> Verdict:
    return next(one.verdict for one in found.findings if one.name == name)


def reason_of(found: GateReport, name: str) -> str:
    return next(one.reason for one in found.findings if one.name == name)


@pytest.mark.parametrize("name", ["default", "strict"])
def test_shipped_policies_ask_for_quality_against_a_baseline(name: str) -> None:
    asked = dict(policy_of(name).limits())
    assert asked["quality.min_ratio"] >= 0.99
    assert asked["quality.min_length_ratio"] == 0.9
    assert "quality.margin" in asked
    assert (SHIPPED / f"{name}.toml").exists()


def test_every_key_that_a_policy_may_have_is_answered() -> None:
    everything: dict[str, Any] = {}
    for table in msgspec.structs.fields(Policy):
        if table.name != "usd_per_hour":
            fields = msgspec.structs.fields(table.type)
            everything[table.name] = {field.name: 0.5 for field in fields}
    asked = dict(msgspec.convert(everything, Policy).limits())
    assert asked.keys() == RULES.keys()


def test_a_run_that_keeps_every_limit_passes(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        "[quality]\nmin_pass_rate = 0.9\nmargin = 0.02\nmin_ratio = 0.99\nmin_length_ratio = 0.9\n"
        "[errors]\nmax_rate = 0.02\n[latency_ms]\np50 = 150\n"
        "[goodput]\nmin_share = 0.9\nlatency_ms = 150\n"
        "[cost]\nmax_usd_per_1k_requests = 1\nmax_usd_per_1k_tokens = 1\n[usd_per_hour]\nawq = 1\n",
        run_folder(tmp_path / "b", {"awq": right}, prompts=600),
        run_folder(tmp_path / "a", {"fp16": right}, prompts=600),
    )
    assert found.verdict is Verdict.PASS, found.findings
    assert found.verdict.exit_code == 0
    assert len(found.findings) == 2 + 9


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[quality]\nmin_pass_rate = 0.95", "quality.min_pass_rate"),
        ("[quality]\nmargin = 0.02", "quality.margin"),
        ("[quality]\nmargin = 0.02\nmin_ratio = 0.99", "quality.min_ratio"),
        ("[latency_ms]\np50 = 50", "latency_ms.p50"),
        ("[goodput]\nmin_share = 0.9\nlatency_ms = 50", "goodput.min_share"),
        (
            "[cost]\nmax_usd_per_1k_requests = 0.001\n[usd_per_hour]\nawq = 10",
            "cost.max_usd_per_1k_requests",
        ),
    ],
)
def test_each_limit_that_is_broken_fails(tmp_path: Path, text: str, key: str) -> None:
    found = answer(
        tmp_path,
        text,
        run_folder(tmp_path / "b", {"awq": wrong_on(*range(60))}, prompts=300),
        run_folder(tmp_path / "a", {"fp16": right}, prompts=300),
    )
    assert verdict_of(found, key) is Verdict.FAIL
    assert found.verdict.exit_code == 1


def test_a_model_that_only_fails_fails(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        "[errors]\nmax_rate = 0.01\n[quality]\nmin_pass_rate = 0.8\n[ttft_ms]\np50 = 1",
        run_folder(tmp_path / "b", {"awq": failing}),
    )
    assert found.verdict is Verdict.FAIL
    assert verdict_of(found, "errors.max_rate") is Verdict.FAIL
    assert verdict_of(found, "quality.min_pass_rate") is Verdict.FAIL
    assert verdict_of(found, "ttft_ms.p50") is Verdict.INCONCLUSIVE


def test_a_model_that_is_mostly_down_does_not_pass_for_the_speed_of_the_rest(
    tmp_path: Path,
) -> None:
    def mostly_down(number: int, repeat: int) -> Mapping[str, Any]:
        return (failing if number % 10 else right)(number, repeat)

    run = run_folder(tmp_path / "b", {"awq": mostly_down}, prompts=1_000)
    found = answer(tmp_path, "[latency_ms]\np50 = 150", run)
    assert verdict_of(found, "latency_ms.p50") is Verdict.FAIL
    assert "900 of 1,000 failed: infinite" in reason_of(found, "latency_ms.p50")


def test_times_that_only_the_survivors_keep_are_not_kept(tmp_path: Path) -> None:
    def timing_out(number: int, repeat: int) -> Mapping[str, Any]:
        return (right if number * 37 % 100 >= 13 else failing)(number, repeat)

    run = run_folder(tmp_path / "b", {"awq": timing_out}, prompts=1_800)
    found = answer(tmp_path, "[latency_ms]\np50 = 150\np90 = 150", run)
    assert verdict_of(found, "latency_ms.p50") is Verdict.PASS
    p90 = next(one for one in found.findings if one.name == "latency_ms.p90")
    assert p90.verdict is Verdict.FAIL
    assert p90.measured is None
    assert p90.reason.startswith("latency p90 is infinite (")
    assert "234 of 1,800 failed" in p90.reason


def test_an_answer_of_one_token_has_no_slow_one(tmp_path: Path) -> None:
    """1 % of the requests failed: among those of two tokens and more they would be 17 %."""

    def mostly_one_token(number: int, repeat: int) -> Mapping[str, Any]:
        if number % 100 == 1:
            return failing(number, repeat)
        tokens = 6 if number % 20 == 0 else 1
        streamed = {"first_ns": lambda start: start + 20 * MS, "completion_tokens": tokens}
        return right(number, repeat) | streamed

    run = run_folder(tmp_path / "b", {"awq": mostly_one_token}, prompts=1_800)
    found = answer(tmp_path, "[tpot_ms]\np90 = 20", run)
    assert verdict_of(found, "tpot_ms.p90") is Verdict.PASS
    assert "18 of 1,800 failed" in reason_of(found, "tpot_ms.p90")


def _down(when: Callable[[int], bool]) -> Answer:
    """By the place of the request, for prompts are shuffled."""

    def error(start_ns: int) -> str:
        return "http_5xx" if when(start_ns // (200 * MS)) else ""

    return lambda number, repeat: right(number, repeat) | {"error": error}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[goodput]\nmin_share = 0.9\nlatency_ms = 150", "goodput.min_share"),
        ("[errors]\nmax_rate = 0.1", "errors.max_rate"),
    ],
)
@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        (right, Verdict.PASS),
        (failing, Verdict.FAIL),
        (_down(lambda place: place % 10 == 0), Verdict.INCONCLUSIVE),
        (_down(lambda place: place % 50 < 3), Verdict.PASS),
        (_down(lambda place: place % 350 < 18), Verdict.INCONCLUSIVE),
    ],
    ids=["every one", "none", "at the limit", "evenly", "in few phases"],
)
def test_a_share_of_requests_passes_where_it_holds_in_every_stretch(
    tmp_path: Path, text: str, key: str, answers: Answer, verdict: Verdict
) -> None:
    """5.4 % fail in phases: Wilson's interval alone would end at 7 %."""
    run = run_folder(tmp_path / "b", {"awq": answers}, prompts=1_000)
    assert verdict_of(answer(tmp_path, text, run), key) is verdict


@pytest.mark.parametrize("count", [20, 60])
def test_a_small_run_without_an_error_still_passes(tmp_path: Path, count: int) -> None:
    run = run_folder(tmp_path / "b", {"awq": right}, prompts=count)
    assert answer(tmp_path, "[errors]\nmax_rate = 0.17", run).verdict is Verdict.PASS


def test_an_outage_in_the_run_fails_it(tmp_path: Path) -> None:
    """How rare outages are nobody knows, and so not how many requests are good in the long run."""
    run = run_folder(tmp_path / "b", {"awq": _down(lambda place: place >= 500)}, prompts=1_000)
    text = "[errors]\nmax_rate = 0.02\n[goodput]\nmin_share = 0.9\nlatency_ms = 150"
    found = answer(tmp_path, text, run)
    assert verdict_of(found, "errors.max_rate") is Verdict.FAIL
    assert verdict_of(found, "goodput.min_share") is Verdict.INCONCLUSIVE
    assert found.verdict is Verdict.FAIL


def test_a_late_client_is_no_judge_of_times(tmp_path: Path) -> None:
    """As `run` makes it: nothing was asked of times then."""
    run = run_folder(
        tmp_path / "b",
        {"awq": right},
        prompts=300,
        validity=Validity(loop_lag_p99_ms=None),
        loop_lag_ms=57,
    )
    for text in ("[latency_ms]\np50 = 150", "[goodput]\nmin_share = 0.9\nlatency_ms = 150"):
        timed = answer(tmp_path, text, run)
        assert timed.verdict is Verdict.INVALID
        assert "event loop was at most 57" in reason_of(timed, "run b")
    assert answer(tmp_path, "[quality]\nmin_pass_rate = 0.9", run).verdict is Verdict.PASS
    baseline = run_folder(tmp_path / "a", {"fp16": right}, prompts=300)
    assert answer(tmp_path, "[latency_ms]\np50 = 150", run, baseline).verdict is Verdict.INVALID


def test_a_baselines_late_client_says_nothing_of_the_candidates_times(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "b", {"awq": right}, prompts=300)
    baseline = run_folder(
        tmp_path / "a",
        {"fp16": right},
        prompts=300,
        validity=Validity(loop_lag_p99_ms=None),
        loop_lag_ms=57,
    )
    found = answer(tmp_path, "[quality]\nmargin = 0.1\n[latency_ms]\np50 = 150", run, baseline)
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("text", ["[latency_ms]\np50 = 150", "[quality]\nmin_pass_rate = 0.9"])
def test_a_client_that_nobody_watched_makes_it_invalid(tmp_path: Path, text: str) -> None:
    run = run_folder(tmp_path / "b", {"awq": right}, prompts=300, loop_lag_ms=None)
    found = answer(tmp_path, text, run)
    assert found.verdict is Verdict.INVALID
    assert "the client's own health was not recorded" in reason_of(found, "run b")


@pytest.mark.parametrize(
    ("lost", "prompts", "verdict"),
    [
        (0, 380, Verdict.INCONCLUSIVE),
        (0, 381, Verdict.PASS),
        (2, 381, Verdict.INCONCLUSIVE),
        (25, 250, Verdict.FAIL),
    ],
)
def test_the_ratios_whole_interval_decides(
    tmp_path: Path, lost: int, prompts: int, verdict: Verdict
) -> None:
    found = answer(
        tmp_path,
        "[quality]\nmin_ratio = 0.99",
        run_folder(tmp_path / "b", {"awq": wrong_on(*range(lost))}, prompts=prompts),
        run_folder(tmp_path / "a", {"fp16": right}, prompts=prompts),
    )
    assert verdict_of(found, "quality.min_ratio") is verdict
    assert found.verdict is verdict


def test_asking_a_few_rows_often_shows_no_ratio(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / name, {name: right}, prompts=50, repeat=6) for name in ("a", "b")]
    found = answer(tmp_path, "[quality]\nmin_ratio = 0.99", runs[1], runs[0])
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("wrong", "verdict"), [((), Verdict.PASS), ((7,), Verdict.FAIL)])
def test_a_limit_of_all_or_none_is_of_those_seen(
    tmp_path: Path, wrong: tuple[int, ...], verdict: Verdict
) -> None:
    def failing_on(number: int, repeat: int) -> Mapping[str, Any]:
        return (failing if number in wrong else right)(number, repeat)

    run = run_folder(tmp_path / "b", {"awq": failing_on})
    text = (
        "[quality]\nmin_pass_rate = 1.0\n[errors]\nmax_rate = 0.0\n"
        "[goodput]\nmin_share = 1.0\nlatency_ms = 150"
    )
    found = answer(tmp_path, text, run)
    for key in ("quality.min_pass_rate", "errors.max_rate", "goodput.min_share"):
        assert verdict_of(found, key) is verdict
        assert "of those seen" in reason_of(found, key)


@pytest.mark.parametrize("text", ["[quality]\nmin_pass_rate = 0", "[errors]\nmax_rate = 1.0"])
def test_no_policy_passes_a_model_that_only_fails(tmp_path: Path, text: str) -> None:
    found = answer(tmp_path, text, run_folder(tmp_path / "b", {"awq": failing}))
    assert found.verdict is Verdict.FAIL


def test_asking_a_few_rows_often_shows_no_pass_rate(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "b", {"awq": right}, prompts=5, repeat=200)
    found = answer(tmp_path, "[quality]\nmin_pass_rate = 0.95", run)
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("[quality]\nmargin = 0.02", "quality.margin", "--baseline"),
        ("[quality]\nmargin = 0.02\nmin_ratio = 0.99", "quality.min_ratio", "--baseline"),
        ("[quality]\nmin_length_ratio = 0.9", "quality.min_length_ratio", "--baseline"),
        ("[ttft_ms]\np95 = 500", "ttft_ms.p95", "no answer was streamed"),
        ("[tpot_ms]\np95 = 50", "tpot_ms.p95", "no answer was streamed"),
        ("[latency_ms]\np99 = 500", "latency_ms.p99", "takes 15,000"),
        ("[goodput]\nmin_share = 0.9\nttft_ms = 50", "goodput.min_share", "streamed"),
        ("[cost]\nmax_usd_per_1k_tokens = 1", "cost.max_usd_per_1k_tokens", "no price is known"),
        ("[errors]\nmax_rate = 0.001", "errors.max_rate", "0 of 100"),
    ],
)
def test_what_can_not_be_answered_is_inconclusive_and_says_why(
    tmp_path: Path, text: str, key: str, why: str
) -> None:
    found = answer(tmp_path, text, run_folder(tmp_path / "b", {"awq": right}))
    assert verdict_of(found, key) is Verdict.INCONCLUSIVE
    assert why in reason_of(found, key)
    assert found.verdict.exit_code == 2


def test_rows_without_checks_answer_no_question_of_quality(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / name, {name: right}, checked=False) for name in ("a", "b")]
    text = "[quality]\nmin_pass_rate = 0.5\nmin_ratio = 0.5\nmargin = 0.1"
    found = answer(tmp_path, text, runs[1], runs[0])
    assert {one.verdict for one in found.findings if one.name.startswith("quality")} == {
        Verdict.INCONCLUSIVE
    }


def test_a_lost_record_is_invalid_whatever_else_passes(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        "[quality]\nmin_pass_rate = 0.1",
        run_folder(tmp_path / "b", {"awq": right}, lost=(4,)),
    )
    assert verdict_of(found, "quality.min_pass_rate") is Verdict.PASS
    assert found.verdict.exit_code == 3


def test_what_a_merge_found_invalid_stays_so(tmp_path: Path) -> None:
    run = late_shard(run_folder(tmp_path / "b", {"awq": right}))
    found = answer(tmp_path, "[quality]\nmin_pass_rate = 0.1", run)
    assert found.verdict is Verdict.INVALID
    assert reason_of(found, "run b") == "common start: shard 3 began 5 s late"


def test_a_baseline_that_failed_makes_it_invalid(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        "[quality]\nmargin = 0.02",
        run_folder(tmp_path / "b", {"awq": right}),
        run_folder(tmp_path / "a", {"fp16": failing}),
    )
    assert found.verdict is Verdict.INVALID


def test_of_two_arms_the_first_is_the_baseline(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "r", {"fp16": right, "awq": wrong_on(*range(30))})
    found = answer(tmp_path, "[quality]\nmargin = 0.02", run)
    assert found.arm == "awq"
    assert found.baseline is not None
    assert found.baseline.endswith("fp16")
    assert found.verdict is Verdict.FAIL


def test_time_to_first_token_is_judged_where_it_was_streamed(tmp_path: Path) -> None:
    def streaming(number: int, repeat: int) -> dict[str, Any]:
        return right(number, repeat) | {"first_ns": lambda start: start + 20 * MS}

    run = run_folder(tmp_path / "b", {"awq": streaming}, prompts=300)
    found = answer(tmp_path, "[ttft_ms]\np50 = 25\n[tpot_ms]\np50 = 10", run)
    assert verdict_of(found, "ttft_ms.p50") is Verdict.PASS
    assert verdict_of(found, "tpot_ms.p50") is Verdict.FAIL  # 80 ms for 5 tokens


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[quality]\nmin_passrate = 0.9", "min_passrate"),
        ("[latency]\np95 = 1", "latency"),
        ("[errors]\nmax_rate = 1.5", "max_rate"),
        ("[errors]\nmax_rate = 'few'", "max_rate"),
        ("[quality]\nmin_ratio = 99", "min_ratio"),
        ("[quality]\nmargin = 1.0", "margin"),
        ("[quality]\nmargin = nan", "margin"),
        ("", "asks for nothing"),
        ("[usd_per_hour]\na = 1", "asks for nothing"),
        ("[goodput]\nmin_share = 0.9", "min_share and an objective"),
        ("[goodput]\nlatency_ms = 9\n[errors]\nmax_rate = 0.1", "min_share and an objective"),
        ("[quality", "policy.toml"),
        ("[usd_per_hour]\na = 0\n[errors]\nmax_rate = 0.1", "usd_per_hour"),
    ],
)
def test_a_policy_with_a_mistake_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        policy(tmp_path, text)
    assert "policy.toml" in str(raised.value)
    assert told in str(raised.value)
    assert raised.value.exit_code == 64


def test_a_policy_that_is_not_there_tells_which_are() -> None:
    with pytest.raises(PolicyError, match="those shipped: default, strict"):
        policy_of("generous")


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="directory"):
        policy_of(str(tmp_path))
