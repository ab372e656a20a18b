"""The first broken rule is told, with its field."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import validation as v
from chalicelib.errors import GatewayError

ANY: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (v.number(0, 2), [0, 2, 0.5, 1], [-0.1, 2.1, "1", True, None, [], float("nan"), 10**400]),
        (v.whole(1, 3), [1, 2, 3], [0, 4, 1.0, "1", True, None, 10**400]),
        (v.text(), ["", " ", "x"], [1, None, b"x", ["x"]]),
        (v.text(1, 3), ["x", "xyz"], ["", "  ", "wxyz", 1]),
        (v.text(1, blank=True), [" ", "\n"], [""]),
        (v.boolean, [True, False], [0, 1, "true", None]),
        (v.json_object, [{}, {"a": 1}], [[], "{}", None, {"a": [float("inf")]}]),
        (v.one_of("a", "b"), ["a", "b"], ["c", "", None, 1, ["a"]]),
        (v.list_of(v.whole(0, 9), most=2), [[], [1], [1, 9]], [[10], [1, 2, 3], (1,), None, "1"]),
        (v.list_of(v.boolean, least=1, most=2), [[True]], [[], [1]]),
        (v.either(v.boolean, v.text(1)), [True, "x"], [1, "", None]),
    ],
)
def test_a_rule_takes_the_good_and_says_what_is_wrong_with_the_bad(
    rule: v.Rule, good: list[Any], bad: list[Any]
) -> None:
    assert [rule(value) for value in good] == [None] * len(good)
    for value in bad:
        problem = rule(value)
        assert problem, value
        assert problem.startswith(("must", "has"))


@given(value=ANY)
def test_any_value_can_be_judged(value: object) -> None:
    for rule in (
        v.number(0, 1),
        v.whole(0, 1),
        v.text(1, 2),
        v.boolean,
        v.json_object,
        v.one_of("a"),
        v.list_of(v.text(), most=1),
        v.either(v.boolean, v.text()),
    ):
        assert rule(value) is None or isinstance(rule(value), str)


def parse(body: bytes, limit: int = 1000) -> dict[str, Any]:
    return v.parse_object(body, max_bytes=limit)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers()))
def test_an_object_is_parsed(document: dict[str, int]) -> None:
    assert parse(json.dumps(document).encode(), limit=10**6) == document


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"x" * 1001, "too_large", "1001 bytes; at most 1000"),
        (b"\xff", "invalid_json", "not UTF-8 (byte 0)"),
        (b"{", "invalid_json", "line 1, column 2"),
        (b'{"a": "\\udc00"}', "invalid_json", "surrogate"),
        (b'{"\\ud800": 1}', "invalid_json", "surrogate"),
        (b'{"a": NaN}', "invalid_json", "NaN"),
        (b'{"a": -Infinity}', "invalid_json", "-Infinity"),
        (b"[1]", "invalid_request", "object"),
        (b"7", "invalid_request", "object"),
    ],
)
def test_what_is_no_object_is_refused_with_the_reason(body: bytes, code: str, words: str) -> None:
    with pytest.raises(GatewayError) as caught:
        parse(body)
    assert caught.value.code == code
    assert words in caught.value.message


def test_deep_nesting_and_huge_numbers_are_refused_not_suffered() -> None:
    for body in (b"[" * 200_000, b'{"a":' * 50_000, b'{"a": ' + b"9" * 10_000 + b"}"):
        with pytest.raises(GatewayError) as caught:
            parse(body, limit=10**6)
        assert caught.value.code == "invalid_json"


@given(st.binary(max_size=100))
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        outcome = type(parse(body)).__name__
    except GatewayError as error:
        outcome = error.code
    assert outcome in {"dict", "invalid_json", "invalid_request"}


FIELDS: Final = {"a": v.whole(0, 9), "b": v.text(1)}


def test_known_fields_that_obey_pass_and_null_counts_as_not_given() -> None:
    v.check({"a": 1, "b": None}, FIELDS, refused={})
    v.check({}, FIELDS, refused={})


@pytest.mark.parametrize(
    ("document", "param", "words"),
    [
        ({"a": 10}, "a", "'a' must be from 0 to 9."),
        ({"b": ""}, "b", "'b' must not be empty."),
        ({"c": 1}, "c", "'c' is not a known field."),
        ({"d": 1}, "d", "'d' is ours."),
        ({"d": None}, "d", "'d' is ours."),
        ({"a": 1, "x" * 500: 1}, "x" * 64, "is not a known field."),
    ],
)
def test_the_first_wrong_field_is_named(document: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(GatewayError) as caught:
        v.check(document, FIELDS, refused={"d": "is ours"})
    assert caught.value.param == param
    assert caught.value.message.endswith(words)


def test_what_is_required_must_be_there() -> None:
    assert v.required({"a": 0}, "a") == 0
    for document in ({}, {"a": None}):
        with pytest.raises(GatewayError, match="'a' is missing"):
            v.required(document, "a")
