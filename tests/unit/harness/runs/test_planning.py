"""Plans from layers, and what a server is known to serve."""

from typing import Any

import pytest

from harness.errors import GatewayError, WrongInput
from harness.plan import Plan
from harness.promptsets.manifest import Manifest, TokenStatistics
from harness.promptsets.rows import Row
from harness.runs.grading import categories_of, grade_with
from harness.runs.planning import layered
from harness.runs.preflight import Served, check
from tests.support.harness_runs import manifest, plan, record, rows


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}], {"a": {"b": 3, "c": 2}}),
        ([{"load": {"count": 1}}, {"load": {"duration_s": 2}}], {"load": {"duration_s": 2}}),
        ([{"load": {"duration_s": 2}}, {"load": {"count": 1}}], {"load": {"count": 1}}),
        (
            [{"when": {"type": "closed", "concurrency": 1}}, {"when": {"type": "poisson"}}],
            {"when": {"type": "poisson"}},
        ),
        ([{"a": 1}, {"a": {"b": 1}}], {"a": {"b": 1}}),
    ],
)
def test_later_layers_win(layers: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    before = [dict(layer) for layer in layers]

    assert layered(*layers) == expected
    assert layers == before


def test_the_first_model_is_asked_where_none_is_named() -> None:
    served = Served("http://x", {"one": 1024, "two": None})

    assert (served.chosen(None), served.chosen("two")) == ("one", "two")


def test_a_server_without_models() -> None:
    with pytest.raises(GatewayError, match="serves no model"):
        Served("http://x", {}).chosen(None)


def test_many_models_are_not_all_told() -> None:
    with pytest.raises(WrongInput, match="and 88 more"):
        Served("http://x", {f"m{number:03}": None for number in range(100)}).chosen("other")


TOKENS = TokenStatistics(
    tokenizer="t",
    tokenizer_sha256="0" * 64,
    min=1,
    p50=10,
    p95=20,
    max=100,
    total=200,
    max_with_answer=130,
)


@pytest.mark.parametrize(
    ("changed", "context", "fits"),
    [
        ({}, 130, True),
        ({}, 129, False),
        ({}, None, True),
        ({"generation": {"max_tokens": 29}}, 129, True),
        ({"generation": {"max_tokens": 30}}, 129, False),
    ],
)
def test_rows_have_to_fit_into_the_models_context(
    changed: dict[str, Any],
    context: int | None,
    fits: bool,  # noqa: FBT001
) -> None:
    assert checked(plan(**changed), rows(), manifest(rows(), TOKENS), context) is fits


def checked(of: Plan, asked: tuple[Row, ...], known: Manifest, context: int | None) -> bool:
    try:
        check(of, asked, known, context)
    except WrongInput as error:
        assert "tokens for its longest row" in str(error)  # noqa: PT017
        return False
    return True


def test_answers_are_graded_by_their_rows_checks() -> None:
    graded = grade_with((*rows(2), *rows(1, prompt_id="free", checks=())))

    assert graded(record(0, output="yes 4")) is True
    assert graded(record(0, output="no")) is False
    assert graded(record(0, output="yes 4", error="aborted")) is False
    assert graded(record(0, output="anything", prompt_id="free")) is None
    assert categories_of(rows(2)) == {"p0": "even", "p1": "odd"}
