from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.demo.asking import Exchange
from harness.demo.proof import (
    CONTRACT_HEADERS,
    alike,
    binomial_range,
    judgement,
    problems,
    shares,
    split_problems,
)
from harness.demo.questions import JUDGED, PREDICTIONS, Judged

QUESTION = PREDICTIONS[0]
PINNED = next(question for question in PREDICTIONS if "variant" in question.body)


def _exchange(output: str = "The answer is 4.", **changes: Any) -> Exchange:  # noqa: ANN401
    headers = {name.lower(): "x" for name in CONTRACT_HEADERS} | {"x-correlation-id": "demo-1"}
    made = Exchange(
        question=QUESTION,
        correlation_id="demo-1",
        status=200,
        headers=headers,
        document={"output": output},
    )
    return replace(made, **changes)


def test_a_proper_answer_has_no_problems() -> None:
    assert problems(_exchange()) == []


def test_a_wrong_answer_is_told() -> None:
    assert problems(_exchange("The answer is 5.")) == [
        "/api/quant/predict (demo-1): no '4' in 'The answer is 5.'"
    ]


def test_an_error_is_told_with_its_code() -> None:
    error = {"error": {"code": "upstream_error", "message": "No target answered."}}

    assert problems(_exchange(status=502, document=error)) == [
        "/api/quant/predict (demo-1): 502 upstream_error: No target answered."
    ]


@pytest.mark.parametrize("name", CONTRACT_HEADERS)
def test_every_header_of_the_contract_is_missed(name: str) -> None:
    headers = {key: v for key, v in _exchange().headers.items() if key != name.lower()}

    assert problems(_exchange(headers=headers)) == [
        f"/api/quant/predict (demo-1): the response has no {name}"
    ]


def test_a_correlation_id_of_another_request_is_told() -> None:
    headers = {**_exchange().headers, "x-correlation-id": "another"}

    assert problems(_exchange(headers=headers)) == [
        "/api/quant/predict (demo-1): the correlation id came back as 'another'"
    ]


def test_a_pin_that_was_not_honoured_is_told() -> None:
    headers = {**_exchange().headers, "x-route-variant": "lora-v9"}

    (problem,) = problems(_exchange(question=PINNED, headers=headers))

    assert problem.endswith("pinned to lora-v1, answered by lora-v9")


def test_variants_that_answer_alike_are_told() -> None:
    first, second = (question for question in PREDICTIONS if "variant" in question.body)
    answers = [_exchange("It is 4.", question=first), _exchange("2+2 = 4", question=second)]

    assert alike([_exchange("It is 4."), *answers]) == []
    assert alike([answers[0], replace(answers[1], document=answers[0].document)]) == [
        "/api/finetune/predict: 2 variants answer alike: 'It is 4.'"
    ]


def _judged(judged: Judged, *, passed: object) -> list[str]:
    return judgement(judged, _exchange(question=judged.question, document={"passed": passed}))


def test_a_judge_that_is_right_has_no_problems() -> None:
    assert [_judged(judged, passed=judged.good) for judged in JUDGED] == [[], []]


def test_a_judge_that_is_wrong_is_told() -> None:
    assert [_judged(judged, passed=not judged.good) for judged in JUDGED] == [
        ["the judge fails the answer '4' to 2+2"],
        ["the judge passes the answer 'banana' to 2+2"],
    ]


def test_a_verdict_that_is_no_boolean_is_told() -> None:
    assert _judged(JUDGED[0], passed="yes")


def test_the_range_of_a_hundred_at_twenty_per_cent() -> None:
    """Exact binomial quantiles at 0.0005 and 0.9995."""
    assert binomial_range(100, 0.2) == (8, 34)


def test_the_range_of_two_thousand_at_twenty_per_cent() -> None:
    """The normal approximation's 400 +- 3.29 * 17.9, within one."""
    least, most = binomial_range(2000, 0.2)

    assert abs(least - 341) <= 1
    assert abs(most - 459) <= 1


@pytest.mark.parametrize(("chance", "expected"), [(0.0, (0, 0)), (1.0, (100, 100))])
def test_certainty_has_no_range(chance: float, expected: tuple[int, int]) -> None:
    assert binomial_range(100, chance) == expected


@given(st.integers(1, 300), st.floats(0, 1))
def test_the_range_holds_the_expectation_and_mirrors(trials: int, chance: float) -> None:
    least, most = binomial_range(trials, chance)

    assert 0 <= least <= trials * chance + 1
    assert trials * chance - 1 <= most <= trials
    mirrored = binomial_range(trials, 1 - chance)
    assert abs(trials - most - mirrored[0]) <= 1
    assert abs(trials - least - mirrored[1]) <= 1


def test_a_split_within_its_range_holds() -> None:
    counts = {"lora-v1": 82, "lora-v2": 18}

    found = shares(counts, {"lora-v1": 80, "lora-v2": 20})

    assert [(share.variant, share.count, share.holds) for share in found] == [
        ("lora-v1", 82, True),
        ("lora-v2", 18, True),
    ]
    assert split_problems(counts, found) == []


def test_a_split_that_is_not_one_is_told() -> None:
    """Everything to one variant, and a stranger among them."""
    counts = {"lora-v1": 99, "lora-v9": 1}

    found = split_problems(counts, shares(counts, {"lora-v1": 80, "lora-v2": 20}))

    assert found == [
        "lora-v1 answered 99 times; its weight of 80 % lets expect 66 to 92",
        "lora-v2 answered 0 times; its weight of 20 % lets expect 8 to 34",
        "lora-v9 answered and is not in the split",
    ]
