"""Two variants of a team, split by the gateway or pinned by two arms."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.compare.pages import ab_page
from harness.compare.sides import Run
from harness.compare.variants import AbReport, ab
from harness.errors import WrongInput
from harness.plan import Slo
from harness.statistics.counts import split_p
from harness.verdict import Finding, Verdict
from tests.support.compared_runs import failing, right, run_folder, wrong

SPLIT = {"lora-v1": 80.0, "lora-v2": 20.0}
Answer = Callable[[int, int], dict[str, Any]]


def split_by(shares: dict[str, float], passing: dict[str, float], seed: int = 1) -> Answer:
    draw = random.Random(seed)

    def answer(number: int, repeat: int) -> dict[str, Any]:
        variant = draw.choices(list(shares), list(shares.values()))[0]
        well = draw.random() < passing[variant]
        return (right if well else wrong)(number, repeat) | {"variant": variant}

    return answer


def report(
    path: Path,
    answer: Answer,
    *,
    repeat: int = 10,
    names: tuple[str, ...] = (),
    split: dict[str, float] = SPLIT,
) -> AbReport:
    run = run_folder(path, {"finetune": answer}, prompts=100, repeat=repeat)
    return ab(Run.read(run), names, split, 0.02)


def finding(found: AbReport, name: str) -> Finding:
    return next(one for one in found.findings if one.name == name)


def test_a_better_candidate_wins(tmp_path: Path) -> None:
    found = report(tmp_path / "r", split_by(SPLIT, {"lora-v1": 0.6, "lora-v2": 0.95}))
    assert found.winner == "lora-v2"
    assert found.verdict is Verdict.PASS
    assert not found.paired
    assert [one.name for one in found.variants] == ["lora-v1", "lora-v2"]
    assert found.variants[1].weight == 0.2
    quality = next(one for one in found.metrics if one.name == "pass rate")
    assert quality.difference.low > 0
    assert quality.difference.low < 0.35 < quality.difference.high


def test_a_worse_candidate_fails(tmp_path: Path) -> None:
    found = report(tmp_path / "r", split_by(SPLIT, {"lora-v1": 0.95, "lora-v2": 0.5}))
    assert (found.winner, found.verdict) == ("lora-v1", Verdict.FAIL)


def test_two_of_the_same_are_not_decided(tmp_path: Path) -> None:
    found = report(tmp_path / "r", split_by(SPLIT, {"lora-v1": 0.8, "lora-v2": 0.8}))
    assert (found.winner, found.verdict) == ("", Verdict.INCONCLUSIVE)
    assert finding(found, "sample ratio").verdict is Verdict.PASS


def test_a_split_that_was_not_the_declared_one_is_invalid_whoever_seems_better(
    tmp_path: Path,
) -> None:
    found = report(
        tmp_path / "r",
        split_by({"lora-v1": 60, "lora-v2": 40}, {"lora-v1": 0.5, "lora-v2": 1.0}),
    )
    assert (found.winner, found.verdict) == ("", Verdict.INVALID)
    assert "not split as declared" in finding(found, "sample ratio").reason


def test_the_two_that_were_asked_most_are_taken_unless_named(tmp_path: Path) -> None:
    shares = {"lora-v1": 20.0, "lora-v2": 70.0, "old": 10.0}
    answer = split_by(shares, dict.fromkeys(shares, 0.9))
    found = report(tmp_path / "r", answer, split={})
    assert [one.name for one in found.variants] == ["lora-v2", "lora-v1"]
    assert set(found.others) == {"old"}
    assert found.sample_ratio_p is None
    named = report(tmp_path / "s", answer, split={}, names=("old", "lora-v2"))
    assert [one.name for one in named.variants] == ["old", "lora-v2"]


@pytest.mark.parametrize(
    ("names", "told"),
    [(("lora-v1", "lora-v9"), "lora-v9"), (("lora-v1", "lora-v1"), "takes two variants")],
)
def test_variants_that_did_not_answer_are_refused(
    tmp_path: Path, names: tuple[str, str], told: str
) -> None:
    answer = split_by(SPLIT, dict.fromkeys(SPLIT, 0.9))
    with pytest.raises(WrongInput, match=told):
        report(tmp_path / "r", answer, split={}, names=names, repeat=1)


def test_a_run_past_the_gateway_has_no_variants(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="no named variant"):
        report(tmp_path / "r", right, split={}, repeat=1)


def test_failures_before_a_variant_was_chosen_are_counted_apart(tmp_path: Path) -> None:
    answer = split_by(SPLIT, dict.fromkeys(SPLIT, 0.9))

    def failing_sometimes(number: int, repeat: int) -> dict[str, Any]:
        if number == 5:
            return {"error": "http_5xx", "status": 503}
        return answer(number, repeat)

    assert report(tmp_path / "r", failing_sometimes).unattributed == 10


@pytest.mark.parametrize("broken", [failing, wrong])
def test_two_that_are_broken_alike_are_never_a_pass(tmp_path: Path, broken: Answer) -> None:
    run = run_folder(tmp_path / "r", {"v1": broken, "v2": broken}, repeat=3)
    found = ab(Run.read(run), (), {}, 0.02)
    assert (found.winner, found.verdict) == ("", Verdict.INVALID)
    assert "as good as that says nothing" in finding(found, "reference").reason


def test_a_team_whose_requests_mostly_failed_says_nothing(tmp_path: Path) -> None:
    """Nobody knows which variant those would have been dealt."""
    answer = split_by(SPLIT, dict.fromkeys(SPLIT, 0.9))

    def mostly_failing(number: int, repeat: int) -> dict[str, Any]:
        return failing(number, repeat) if number < 60 else answer(number, repeat)

    assert report(tmp_path / "r", mostly_failing).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("timing_out", "verdict"),
    [
        ((), Verdict.PASS),
        (("lora-v1",), Verdict.INCONCLUSIVE),
        (("lora-v2",), Verdict.INCONCLUSIVE),
    ],
)
def test_requests_that_name_no_variant_may_have_been_eithers(
    tmp_path: Path, timing_out: tuple[str, ...], verdict: Verdict
) -> None:
    """A request that timed out has no answer to name the variant that was asked."""
    draw = random.Random(5)

    def answer(number: int, repeat: int) -> dict[str, Any]:
        variant = "lora-v2" if (number + repeat) % 10 < 1 else "lora-v1"
        if variant in timing_out and draw.random() < {"lora-v1": 0.08, "lora-v2": 0.6}[variant]:
            return {"error": "timeout", "status": 0}
        return right(number, repeat) | {"variant": variant}

    run = run_folder(tmp_path / "r", {"finetune": answer}, repeat=10)
    found = ab(Run.read(run), (), {}, 0.15)
    assert found.verdict is verdict
    errors = next(one for one in found.metrics if one.name == "error rate")
    reason = finding(found, "quality").reason
    if timing_out:
        assert found.unattributed > 50
        assert f"{found.unattributed} requests that name no variant" in reason
        assert errors.difference.low < 0
        assert errors.difference.high > 0.1
    else:
        assert "name no variant" not in reason


@pytest.mark.parametrize(("margin", "prompts"), [(0.15, 53), (0.1, 82), (0.02, 455)])
def test_so_many_prompts_of_each_variant_show_a_margin(
    tmp_path: Path, margin: float, prompts: int
) -> None:
    """As docs/harness.md has it, if not one answer changes."""

    def answer(number: int, repeat: int) -> dict[str, Any]:
        return right(number, repeat) | {"variant": f"lora-v{repeat + 1}"}

    verdicts = [
        ab(
            Run.read(run_folder(tmp_path / f"{count}", {"a": answer}, prompts=count, repeat=2)),
            ("lora-v1", "lora-v2"),
            {},
            margin,
        ).verdict
        for count in (prompts - 1, prompts)
    ]
    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.PASS]


@pytest.mark.parametrize(("margin", "prompts"), [(0.15, 45), (0.1, 69), (0.02, 405)])
def test_so_many_prompts_of_two_arms_show_a_margin(
    tmp_path: Path, margin: float, prompts: int
) -> None:
    verdicts = [
        ab(
            Run.read(run_folder(tmp_path / f"{count}", {"v1": right, "v2": right}, prompts=count)),
            (),
            {},
            margin,
        ).verdict
        for count in (prompts - 1, prompts)
    ]
    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.PASS]


def test_a_page_tells_a_declared_weight_of_nothing_from_none_declared(tmp_path: Path) -> None:
    answer = split_by({"lora-v1": 1}, {"lora-v1": 0.9})
    split = {"lora-v1": 100.0, "lora-v2": 0.0}

    def one_of_the_other(number: int, repeat: int) -> dict[str, Any]:
        other = {"variant": "lora-v2", "completion_tokens": 0}
        return answer(number, repeat) | (other if (number, repeat) == (3, 0) else {})

    found = report(tmp_path / "r", one_of_the_other, split=split)
    assert found.verdict is Verdict.INVALID
    rows = ab_page(found).sections[1].table
    assert rows is not None
    assert [row[3:] for row in rows.rows] == [("100 %", "6.00"), ("0 %", "0")]


def test_a_run_may_be_looked_at_while_it_goes_on(tmp_path: Path) -> None:
    run = run_folder(
        tmp_path / "r",
        {"finetune": split_by(SPLIT, {"lora-v1": 0.6, "lora-v2": 0.95})},
        repeat=10,
        lost=(995, 997),
        over=False,
    )
    found = ab(Run.read(run), (), SPLIT, 0.02)
    assert found.verdict is Verdict.PASS
    assert "so far" in finding(found, "run r").reason


def test_a_run_that_is_over_and_lost_records_is_invalid(tmp_path: Path) -> None:
    answer = split_by(SPLIT, dict.fromkeys(SPLIT, 0.9))
    run = run_folder(tmp_path / "r", {"finetune": answer}, lost=(3,))
    assert ab(Run.read(run), (), SPLIT, 0.02).verdict is Verdict.INVALID


def test_two_arms_that_pin_a_variant_each_are_paired(tmp_path: Path) -> None:
    draw = random.Random(3)

    def right_in(share: float) -> Answer:
        def answer(number: int, repeat: int) -> dict[str, Any]:
            return (right if draw.random() < share else wrong)(number, repeat)

        return answer

    run = run_folder(
        tmp_path / "r", {"v1": right_in(0.6), "v2": right_in(0.9)}, repeat=3, slo=Slo(latency_ms=99)
    )
    found = ab(Run.read(run), (), {}, 0.02)
    assert found.paired
    assert (found.winner, found.verdict) == ("v2", Verdict.PASS)
    slow = next(one for one in found.metrics if one.name == "within objectives")
    assert (slow.reference, slow.candidate) == (0, 0)
    latency = next(one for one in found.metrics if one.name == "median latency")
    assert (latency.reference, latency.difference.value) == (100, 0)


def test_without_checks_no_variant_is_better(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "r", {"v1": right, "v2": wrong}, checked=False)
    found = ab(Run.read(run), (), {}, 0.02)
    assert (found.winner, found.verdict) == ("", Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [
        ({"a": 800, "b": 200}, 0.5, 1),
        ({"a": 8_000, "b": 2_300}, 0, 0.001),
        ({"a": 80, "b": 20, "c": 1}, 0, 0),
        ({}, 1, 1),
    ],
)
def test_a_split_is_believed_or_not(counts: dict[str, int], least: float, most: float) -> None:
    assert least <= split_p(counts, {"a": 80, "b": 20}) <= most


def test_a_right_split_watched_at_every_request_is_rarely_doubted() -> None:
    draw = random.Random(8)
    runs, doubted = 300, 0
    for _ in range(runs):
        counts = {"a": 0, "b": 0}
        lowest = 1.0
        for _ in range(300):
            counts["a" if draw.random() < 0.8 else "b"] += 1
            lowest = min(lowest, split_p(counts, {"a": 0.8, "b": 0.2}))
        doubted += lowest < 0.05
    assert doubted / runs <= 0.05


@pytest.mark.parametrize("weights", [{"a": 0.0}, {"a": -1.0, "b": 2.0}])
def test_weights_that_are_none_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no weights"):
        split_p({"a": 1}, weights)
