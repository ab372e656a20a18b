"""A judge against what was expected of it."""

from dataclasses import dataclass

import pytest

from harness.errors import PromptsetError
from harness.judge.calibration import Calibration, calibration
from harness.judge.samples import Sample, samples_of
from harness.judge.scoring import Failed, Outcome, Scored
from harness.promptsets import store
from harness.verdict import Verdict

HIGH, LOW = (0.7, 1.0), (0.0, 0.4)


def sample(number: int, *, passes: bool, known_bad: bool = False) -> Sample:
    band = HIGH if passes else LOW
    return Sample(
        sample_id=f"s{number}",
        question="Q?",
        answer="a",
        bands={"helpfulness": band, "factuality": band},
        passes=passes,
        known_bad=known_bad,
    )


def scored(score: float, *, passed: bool) -> Scored:
    return Scored(
        coherence=score,
        helpfulness=score,
        factuality=score,
        toxicity=0.0,
        passed=passed,
        profile="daily-gate-v1",
    )


SAMPLES = [
    *(sample(number, passes=True) for number in range(20)),
    *(sample(number, passes=False, known_bad=number >= 30) for number in range(20, 40)),
]


@dataclass(frozen=True)
class Judge:
    """Says what it must, but for the samples that it gets wrong."""

    wrong: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()

    def of(self, number: int, one: Sample) -> Outcome:
        if number in self.silent:
            return Failed(code="judge_invalid", status=502)
        passes = bool(one.passes) is not (number in self.wrong)
        return scored(0.9 if passes else 0.1, passed=passes)


def found(judge: Judge, samples: list[Sample] = SAMPLES) -> Calibration:
    said = {one.sample_id: judge.of(number, one) for number, one in enumerate(samples)}
    return calibration(samples, said, promptset="mine", version=1, profile="daily-gate-v1")


def test_a_judge_that_says_what_it_must_passes() -> None:
    result = found(Judge())
    assert result.verdict is Verdict.PASS
    assert result.agreement is not None
    assert result.agreement.value == 1.0
    assert result.dimensions["helpfulness"].in_band.value == 1.0
    assert result.confusion.cells == (20, 0, 0, 20)


def test_one_known_bad_answer_that_passes_fails_it() -> None:
    result = found(Judge(wrong=(39,)))
    assert result.verdict is Verdict.FAIL
    assert result.known_bad_passed.count == 1
    assert result.findings[0].name == "known-bad answers passed"


def test_a_wrong_answer_that_passes_is_a_disagreement_and_may_happen() -> None:
    result = found(Judge(wrong=(20,)))
    assert result.confusion.cells == (20, 1, 0, 19)
    assert result.verdict is Verdict.PASS


def test_a_judge_that_is_always_wrong_fails() -> None:
    result = found(Judge(wrong=tuple(range(40))))
    assert result.verdict is Verdict.FAIL
    assert result.agreement is not None
    assert result.agreement.value == -1.0


def test_a_judge_that_says_nothing_is_invalid_and_gets_no_numbers() -> None:
    result = found(Judge(silent=tuple(range(40))))
    assert result.verdict is Verdict.INVALID
    assert result.failures == {"judge_invalid": 40}
    assert result.agreement is None
    assert result.dimensions["helpfulness"].in_band.of == 0


def test_what_is_too_few_to_tell_is_inconclusive() -> None:
    result = found(Judge(), [*SAMPLES[:3], *SAMPLES[37:]])
    assert result.verdict is Verdict.INCONCLUSIVE


def test_bias_says_which_way_and_error_how_far() -> None:
    samples = [sample(number, passes=False) for number in range(10)]
    said: dict[str, Outcome] = {one.sample_id: scored(0.3, passed=False) for one in samples}
    result = calibration(samples, said, promptset="m", version=1, profile="daily-gate-v1")
    helpfulness = result.dimensions["helpfulness"]
    assert helpfulness.bias is not None
    assert helpfulness.bias.value == pytest.approx(0.1)
    assert helpfulness.error == pytest.approx(0.1)
    assert result.dimensions["coherence"].in_band.of == 0  # nobody asked


def test_the_shipped_set_has_answers_of_every_worth() -> None:
    samples = samples_of(store.load("eval-calibration").rows, "eval-calibration")
    assert len(samples) == 40
    assert any(one.passes for one in samples)
    assert any(one.known_bad for one in samples)
    assert any(one.passes is False and not one.known_bad for one in samples)


def test_a_set_without_candidates_calibrates_nothing() -> None:
    with pytest.raises(PromptsetError, match="no row has a candidate answer"):
        samples_of(store.load("tiny").rows, "tiny")
