"""Two runs, or two arms of one, on the same items."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.compare import results
from harness.compare.comparing import Asked, compare
from harness.compare.results import Comparison
from harness.compare.sides import sides
from harness.compare.speed import prices_of
from harness.errors import StoreError, WrongInput
from harness.plan import Generation, Validity
from harness.statistics.paired import Flips
from harness.verdict import Finding, Verdict
from tests.support.compared_runs import Answer, failing, right, run_folder, wrong, wrong_on

Fields = dict[str, Any]


def compared(
    reference: Path, candidate: Path | None = None, asked: Asked | None = None
) -> Comparison:
    return compare(*sides(reference, candidate), asked or Asked())


def finding(found: Comparison, name: str) -> Finding:
    return next(one for one in found.findings if one.name == name)


def test_the_same_answers_are_not_inferior(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, prompts=250),
        run_folder(tmp_path / "b", {"awq": right}, prompts=250),
    )
    assert found.verdict is Verdict.PASS
    assert found.quality is not None
    assert found.quality.flips == Flips(both=250)
    assert found.quality.p_different == 1
    assert found.quality.p_inferior < 0.025
    assert found.quality.difference.low > -0.02


def test_too_few_of_the_same_answers_prove_nothing(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, prompts=50),
        run_folder(tmp_path / "b", {"awq": right}, prompts=50),
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "too few prompts" in finding(found, "quality").reason


def test_a_model_that_lost_a_fifth_is_inferior(tmp_path: Path) -> None:
    lost = wrong_on(*range(0, 100, 5))
    found = compared(
        run_folder(tmp_path / "a", {"fp16": wrong_on(1)}),
        run_folder(tmp_path / "b", {"awq": lost}),
    )
    assert found.verdict is Verdict.FAIL
    assert found.quality is not None
    assert found.quality.flips == Flips(both=79, lost=20, gained=1, neither=0)
    assert found.quality.difference.high < -0.02
    assert found.quality.p_different < 0.001


def test_flips_are_told_both_ways_with_both_answers(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": wrong_on(3)}),
        run_folder(tmp_path / "b", {"awq": wrong_on(8)}),
    )
    assert found.quality is not None
    assert found.quality.lost == (
        results.Flip(
            prompt_id="p0008",
            repeat=0,
            category="even",
            question="What is number 8?",
            reference="the answer is 8",
            candidate="I do not know",
        ),
    )
    assert [flip.prompt_id for flip in found.quality.gained] == ["p0003"]
    assert found.quality.by_category["odd"].difference.value == pytest.approx(1 / 50)
    assert found.quality.by_category["even"].difference.value == pytest.approx(-1 / 50)


def test_an_answer_that_never_came_did_not_pass_and_says_why(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}),
        run_folder(tmp_path / "b", {"awq": failing}),
    )
    assert found.verdict is Verdict.FAIL
    assert found.quality is not None
    assert found.quality.candidate.count == 0
    assert found.quality.lost[0].candidate == "[http_5xx]"
    assert found.length is None


@pytest.mark.parametrize("broken", [failing, wrong])
def test_to_be_as_good_as_a_broken_reference_is_invalid(tmp_path: Path, broken: Answer) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": broken}, prompts=250),
        run_folder(tmp_path / "b", {"awq": broken}, prompts=250),
    )
    assert found.verdict is Verdict.INVALID
    assert "says nothing" in finding(found, "reference").reason


def test_prompts_are_paired_whatever_the_order_and_repeat(tmp_path: Path) -> None:
    """The second answer to prompt 7 is wrong on both sides, and nowhere else."""

    def second_of_seven(number: int, repeat: int) -> Fields:
        return (wrong if (number, repeat) == (7, 1) else right)(number, repeat)

    found = compared(
        run_folder(tmp_path / "a", {"fp16": second_of_seven}, repeat=2),
        run_folder(tmp_path / "b", {"awq": second_of_seven}, repeat=2),
    )
    assert found.quality is not None
    assert found.quality.flips == Flips(both=199, neither=1)


def test_asking_the_same_prompts_again_is_no_further_evidence(tmp_path: Path) -> None:
    once, often = (
        compared(
            run_folder(tmp_path / f"a{repeat}", {"fp16": right}, repeat=repeat),
            run_folder(tmp_path / f"b{repeat}", {"awq": wrong_on(0, 1, 2)}, repeat=repeat),
        ).quality
        for repeat in (1, 4)
    )
    assert once is not None
    assert often is not None
    assert (often.pairs, often.prompts) == (400, 100)
    assert (often.candidate.count, often.candidate.of) == (388, 400)
    assert (often.candidate.low, often.candidate.high) == (once.candidate.low, once.candidate.high)
    assert often.by_category["odd"].reference.low == once.by_category["odd"].reference.low
    assert often.difference.low == pytest.approx(once.difference.low)
    assert often.p_different == once.p_different == pytest.approx(0.25)
    assert often.p_inferior == pytest.approx(once.p_inferior)


def test_prompts_asked_again_show_how_much_the_reference_differs_from_itself(
    tmp_path: Path,
) -> None:
    def unsteady(number: int, repeat: int) -> Fields:
        return (wrong if number < 10 and repeat == 1 else right)(number, repeat)

    found = compared(run_folder(tmp_path / "a", {"one": unsteady, "two": right}, repeat=2))
    assert found.quality is not None
    assert found.quality.noise is not None
    assert (found.quality.noise.flipped.count, found.quality.noise.flipped.of) == (10, 100)
    alone = compared(run_folder(tmp_path / "b", {"one": right, "two": right}))
    assert alone.quality is not None
    assert alone.quality.noise is None
    told, unknown = finding(found, "noise floor"), finding(alone, "noise floor")
    assert told.measured == 0.1
    assert "10 of 100 prompts passed once and failed once: 10.0 %" in told.reason
    assert "not known" in unknown.reason
    assert "--repeat 2" in unknown.reason
    assert [told.verdict, unknown.verdict] == [Verdict.PASS, Verdict.PASS]


def test_records_whose_clock_ran_backwards_are_told(tmp_path: Path) -> None:
    def before_it_was_asked(number: int, repeat: int) -> Fields:
        return right(number, repeat) | {"latency_ms": -1.0}

    run = run_folder(tmp_path / "a", {"fp16": right})
    torn = run_folder(tmp_path / "b", {"awq": before_it_was_asked}, over=False)
    with pytest.raises(StoreError, match="its records can't be"):
        sides(run, torn)


def test_different_promptsets_are_refused_with_both_checksums(tmp_path: Path) -> None:
    one = run_folder(tmp_path / "a", {"fp16": right}, sha256="a" * 64)
    other = run_folder(tmp_path / "b", {"awq": right}, sha256="b" * 64)
    with pytest.raises(WrongInput) as raised:
        sides(one, other)
    assert "a" * 64 in str(raised.value)
    assert "b" * 64 in str(raised.value)
    assert raised.value.exit_code == 64


def test_a_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    one = run_folder(tmp_path / "a", {"fp16": right})
    with pytest.raises(WrongInput, match="named twice"):
        sides(one, tmp_path / "." / "a")
    with pytest.raises(WrongInput, match="one arm"):
        sides(one)


def test_a_run_of_two_arms_is_compared_alone(tmp_path: Path) -> None:
    two = run_folder(tmp_path / "a", {"fp16": right, "awq": right})
    with pytest.raises(WrongInput, match="two arms already"):
        sides(two, run_folder(tmp_path / "b", {"awq": right}))


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="nowhere is not a run"):
        sides(tmp_path / "nowhere")


def test_runs_of_different_length_do_not_add_up(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, repeat=2),
        run_folder(tmp_path / "b", {"awq": right}),
    )
    assert found.verdict is Verdict.INVALID
    assert "100 requests have no counterpart" in finding(found, "pairs").reason


def test_a_record_written_twice_counts_once(tmp_path: Path) -> None:
    one = run_folder(tmp_path / "a", {"fp16": right}, repeat=2)
    twice = run_folder(tmp_path / "b", {"awq": right}, repeat=2)
    records = twice / "records" / "0000.jsonl"
    records.write_bytes(records.read_bytes() + records.read_bytes().splitlines(keepends=True)[5])
    found = compared(one, twice)
    assert finding(found, "pairs").reason == "200 pairs of 100 prompts, nothing left over"
    assert found.verdict is Verdict.INVALID
    assert "recorded more than once" in finding(found, "run b").reason


def test_a_lost_record_makes_it_invalid_even_if_the_summary_is_older(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}),
        run_folder(tmp_path / "b", {"awq": right}, lost=(17,)),
    )
    assert found.verdict is Verdict.INVALID
    assert "1 never recorded" in finding(found, "run b").reason


def test_a_run_that_is_not_over_is_invalid(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}),
        run_folder(tmp_path / "b", {"awq": right}, over=False),
    )
    assert found.verdict is Verdict.INVALID
    assert "not over" in finding(found, "run b").reason


def test_answers_generated_differently_are_invalid(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}),
        run_folder(tmp_path / "b", {"awq": right}, generation=Generation(temperature=0.7)),
    )
    assert found.verdict is Verdict.INVALID
    assert finding(found, "same questions").reason.endswith("temperature 0.0 and 0.7")


def test_without_checks_nothing_is_known_of_the_answers(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, checked=False),
        run_folder(tmp_path / "b", {"awq": right}, checked=False),
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.quality is None


def test_warm_up_that_ends_within_a_pair_is_left_out_on_both_sides(tmp_path: Path) -> None:
    found = compared(run_folder(tmp_path / "a", {"one": right, "two": right}, warmup=11))
    assert found.quality is not None
    assert found.quality.pairs == 94
    assert [side.figures.requests for side in (found.reference, found.candidate)] == [94, 94]
    assert finding(found, "pairs").verdict is Verdict.PASS


def test_a_run_with_warm_up_has_a_counterpart_without(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"one": right}, warmup=10, count=110),
        run_folder(tmp_path / "b", {"two": right}),
    )
    assert found.quality is not None
    assert found.quality.pairs == 100
    assert finding(found, "pairs").verdict is Verdict.PASS


def test_latency_of_two_runs_is_not_compared(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, prompts=250),
        run_folder(tmp_path / "b", {"awq": right}, prompts=250),
        Asked(max_slowdown=1.1),
    )
    assert found.speed.verdict is Verdict.INCONCLUSIVE
    assert found.speed.reason.startswith("latency is not compared: between two runs")
    assert found.speed.shifts == {}
    assert finding(found, "slowdown").verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.7, Verdict.PASS), (1.0, Verdict.PASS), (1.5, Verdict.FAIL)]
)
def test_latency_of_interleaved_arms_is(tmp_path: Path, factor: float, verdict: Verdict) -> None:
    draw = random.Random(4)

    def taking(mean: float) -> Answer:
        return lambda number, repeat: (
            right(number, repeat) | {"latency_ms": mean * draw.uniform(0.95, 1.05)}
        )

    found = compared(
        run_folder(
            tmp_path / "a", {"one": taking(100.0), "two": taking(factor * 100.0)}, prompts=250
        ),
        asked=Asked(max_slowdown=1.2),
    )
    shift = found.speed.shifts["latency p50"]
    assert shift.ratio.low < factor * 1.02
    assert shift.ratio.high > factor * 0.98
    assert shift.ratio.value == pytest.approx(factor, rel=0.03)
    assert shift.difference.value == pytest.approx(100 * (factor - 1), abs=3)
    assert found.speed.verdict is Verdict.PASS
    assert finding(found, "slowdown").verdict is verdict
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [(Asked(margin=0.1), Verdict.PASS), (Asked(margin=0.1, max_slowdown=1.2), Verdict.INVALID)],
)
def test_a_late_client_is_no_judge_of_a_slowdown(
    tmp_path: Path, asked: Asked, verdict: Verdict
) -> None:
    run = run_folder(
        tmp_path / "a",
        {"one": right, "two": right},
        validity=Validity(loop_lag_p99_ms=None),
        loop_lag_ms=57,
    )
    assert finding(compared(run, asked=asked), "run a").verdict is verdict


def test_a_client_that_nobody_watched_makes_a_comparison_invalid(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a", {"one": right, "two": right}, loop_lag_ms=None)
    found = compared(run)
    assert found.verdict is Verdict.INVALID
    assert "own health was not recorded" in finding(found, "run a").reason


def test_answers_half_as_long_fail_whatever_they_say(tmp_path: Path) -> None:
    def short(number: int, repeat: int) -> Fields:
        return right(number, repeat) | {"completion_tokens": 3 + number % 2}

    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, prompts=250),
        run_folder(tmp_path / "b", {"awq": short}, prompts=250),
    )
    assert found.length is not None
    assert (found.length.reference, found.length.candidate) == (6, 3.5)
    assert finding(found, "length").verdict is Verdict.FAIL
    assert found.verdict is Verdict.FAIL


def test_tokens_that_nobody_counted_are_unknown(tmp_path: Path) -> None:
    def uncounted(number: int, repeat: int) -> Fields:
        return right(number, repeat) | {"completion_tokens": None}

    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}, prompts=250),
        run_folder(tmp_path / "b", {"awq": uncounted}, prompts=250),
    )
    assert found.length is None
    assert finding(found, "length").verdict is Verdict.INCONCLUSIVE
    assert finding(found, "quality").verdict is Verdict.PASS
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_price_that_nobody_knows_is_null_and_never_0(tmp_path: Path) -> None:
    found = compared(
        run_folder(tmp_path / "a", {"fp16": right}),
        run_folder(tmp_path / "b", {"awq": right}),
        Asked(prices={"team/fp16": 3.6}),
    )
    known, unknown = found.costs
    seconds = 99 * 0.2 + 0.1
    assert known.usd_per_1k_requests == pytest.approx(3.6 * seconds / 3600 / 100 * 1000)
    assert known.usd_per_1m_output_tokens == pytest.approx(3.6 * seconds / 3600 / 600 * 1e6)
    assert (unknown.usd_per_hour, unknown.usd_per_1k_requests) == (None, None)
    assert b'"usd_per_1k_requests":null' in msgspec.json.encode(unknown)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[usd_per_hour]\nawq = 0", "Expected `float` > 0"),
        ("[usd_per_hours]\nawq = 1", "usd_per_hours"),
        ("usd_per_hour = [", "Invalid"),
    ],
)
def test_prices_that_can_not_be_are_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(WrongInput, match=r"prices\.toml") as raised:
        prices_of(path)
    assert told in str(raised.value)


def test_a_prices_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=r"none\.toml: No such file"):
        prices_of(tmp_path / "none.toml")


def test_the_same_twice_is_never_fail(tmp_path: Path) -> None:
    """Answers right in 9 of 10 cases, by chance, of both."""
    draw = random.Random(12)

    def mostly(number: int, repeat: int) -> Fields:
        return (right if draw.random() < 0.9 else wrong)(number, repeat)

    verdicts = [
        compared(run_folder(tmp_path / f"r{seed}", {"one": mostly, "two": mostly})).verdict
        for seed in range(20)
    ]
    assert verdicts.count(Verdict.FAIL) == 0
    assert verdicts.count(Verdict.INVALID) == 0
