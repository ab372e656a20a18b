"""What each kind of check lets pass, and what it refuses to be."""

import time

import msgspec
import pytest

from harness.checks import KINDS, Check, grade
from harness.checks.patterns import bounded

QUESTION = "Which of them is it?"


def check(**fields: object) -> Check:
    return msgspec.convert(fields, Check)  # type: ignore[no-any-return,call-overload,unused-ignore]


def passes(one: Check, answer: str, question: str = QUESTION) -> bool:
    passed = grade([one], question, answer).passed
    assert passed is not None
    return passed


def test_every_kind_of_the_contract_is_there() -> None:
    assert set(KINDS) == {
        "contains_any",
        "contains_all",
        "exact",
        "regex",
        "numeric",
        "json_schema",
    }


@pytest.mark.parametrize(
    "answer", ["4", "It's 4.", "**4**", "(4)", "3+1=4", "2-4", "4th", "\uff14"]
)
def test_a_number_is_found_as_a_word(answer: str) -> None:
    assert passes(check(kind="contains_any", values=["4", "4th"]), answer)


@pytest.mark.parametrize("answer", ["40", "14", "4.5", "0.4", "1,4", "-4", "x4", "4x", "four"])
def test_a_number_is_not_found_in_another(answer: str) -> None:
    assert not passes(check(kind="contains_any", values=["4"]), answer)


@pytest.mark.parametrize(
    ("values", "answer", "expected"),
    [
        (["Paris"], "paris, of course", True),
        (["Paris"], "Parish", False),
        (["Buenos Aires"], "Buenos\n  Aires", True),
        (["it's"], "It\u2019s so", True),
        (["New Delhi"], "New\u00a0Delhi", True),
        (["caf\u00e9"], "cafe\u0301", True),
        (["C++"], "Use C++ there", True),
        (["fire"], "fi\u200bre", True),
        (["a", "b"], "b", True),
        (["a", "b"], "ab", False),
    ],
)
def test_contains_any_compares_whole_words_in_normalised_form(
    values: list[str], answer: str, *, expected: bool
) -> None:
    assert passes(check(kind="contains_any", values=values), answer) is expected


def test_contains_all_wants_every_value() -> None:
    both = check(kind="contains_all", values=["red", "blue"])
    assert passes(both, "Blue and red.")
    graded = grade([both], QUESTION, "only red")
    assert graded.passed is False
    assert graded.failures == ("contains_all: lacks 'blue'",)


def test_max_words_bounds_the_answer() -> None:
    bounded_check = check(kind="contains_any", values=["fog"], max_words=4)
    assert passes(bounded_check, "Because of fog.")
    assert not passes(bounded_check, "It was because of fog.")


@pytest.mark.parametrize("answer", ["Tom", "tom.", ' "Tom" ', "**Tom**", "`Tom`", "TOM!"])
def test_exact_looks_past_case_and_what_stands_around(answer: str) -> None:
    assert passes(check(kind="exact", values=["Tom"]), answer)


@pytest.mark.parametrize("answer", ["Tommy", "Tom and Jerry", "It is Tom", "T om"])
def test_exact_lets_nothing_else_pass(answer: str) -> None:
    assert not passes(check(kind="exact", values=["Tom"]), answer)


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("1,234.5", 1234.5),
        ("The total is $1,000.", 1000),
        ("first 3, then 7", 7),
        ("-5", -5),
        ("\u22125 degrees", -5),
        ("3-5", 5),
        ("2024-05-17", 17),
        ("40%", 40),
        ("x=-2", -2),
        (".5", 0.5),
        ("12km\u00b2", 12),
        ("10 - 4", 4),
        ("0 of 12345678", 12345678),
    ],
)
def test_numeric_takes_the_last_number(answer: str, number: float) -> None:
    assert passes(check(kind="numeric", value=number), answer)


@pytest.mark.parametrize("answer", ["none", "H2O", "v1.5", "seven"])
def test_numeric_fails_where_there_is_no_number(answer: str) -> None:
    graded = grade([check(kind="numeric", value=5)], QUESTION, answer)
    assert graded.failures == ("numeric: has no number, expected 5",)


def test_numeric_has_a_tolerance() -> None:
    about = check(kind="numeric", value=10, tolerance=0.5)
    assert passes(about, "10.5")
    assert passes(about, "9.5")
    assert not passes(about, "10.51")


def test_regex_ignores_case_and_sees_the_first_2000_characters() -> None:
    yes = check(kind="regex", pattern=r"^\W{0,3}no\b")
    assert passes(yes, "**No**, never.")
    assert not passes(yes, "none")
    assert not passes(check(kind="regex", pattern="end"), "x" * 2000 + "end")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        ".*x.*",
        r"(\w+\s?)*$",
        "(.{1,100}){1,100}x",
        r"(?=(a+)+$)b",
        "a{0,2000}b{0,2000}",
        ".{0,69}.{0,69}[ab]{1000}",
        "(?>a+)+b",
    ],
)
def test_a_pattern_that_could_hang_is_refused(pattern: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="ways on a long answer"):
        check(kind="regex", pattern=pattern)


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}-\d{2}", r"^[a-z ]{1,80}$", r"yes.*", "a|b|c", "(?:a{1,2}){1,9}b"]
)
def test_an_accepted_pattern_ends_on_the_longest_answer(pattern: str) -> None:
    found = bounded(pattern)
    begin = time.process_time()
    found.search("a" * 2000)
    found.search("yes" * 700)
    found.search("1" * 2000)
    assert time.process_time() - begin < 30


def test_json_may_stand_in_a_fence_and_nowhere_else() -> None:
    one = check(kind="json_schema", schema={"type": "object"}, equals={"a": 1})
    assert passes(one, '{"a": 1}')
    assert passes(one, '\n```json\n{"a": 1.0}\n```\n')
    assert not passes(one, 'Sure: {"a": 1}')
    assert not passes(one, '{"a": true}')
    assert not passes(one, '{"a": 1, "b": 2}')
    assert not passes(one, '{"a": NaN}')
    assert not passes(one, "[" * 10_000)
    assert not passes(one, "```\n" + " " * 49_000 + "`")


def test_a_schema_without_equals_is_enough() -> None:
    one = check(kind="json_schema", schema={"type": "array", "maxItems": 2})
    assert passes(one, "[1, 2]")
    assert not passes(one, "[1, 2, 3]")
    assert grade([one], QUESTION, "{}").failures == (
        "json_schema: at $: {} is not of type 'array'",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "nope"}, "Invalid value 'nope'"),
        ({}, "missing required field `kind`"),
        ({"kind": "exact", "values": []}, "length >= 1"),
        ({"kind": "exact", "values": [" "]}, "is empty"),
        ({"kind": "contains_any", "values": ["\u200b"]}, "is empty"),
        ({"kind": "contains_any", "value": ["a"]}, "unknown field `value`"),
        ({"kind": "contains_any", "values": ["a"], "max_words": 0}, ">= 1"),
        ({"kind": "numeric", "value": "4"}, "Expected `float`"),
        ({"kind": "numeric", "value": float("nan")}, "finite"),
        ({"kind": "numeric", "value": 4, "tolerance": -1}, ">= 0"),
        ({"kind": "regex", "pattern": "("}, "is no pattern"),
        ({"kind": "regex", "pattern": ""}, "length >= 1"),
        ({"kind": "json_schema", "schema": {"type": "thing"}}, "no schema"),
        ({"kind": "json_schema", "schema": {"$ref": "#"}}, "\\$ref can't be used"),
        ({"kind": "json_schema", "schema": {"items": {"pattern": "(a+)+"}}}, "pattern can't"),
        ({"kind": "json_schema", "schema": {}}, "length >= 1"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        check(**fields)


def test_a_property_may_be_called_pattern() -> None:
    one = check(
        kind="json_schema",
        schema={"type": "object", "properties": {"pattern": {"type": "string"}}},
    )
    assert passes(one, '{"pattern": "x"}')


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"kind": "regex", "pattern": "x?"}, "matches an empty answer"),
        ({"kind": "numeric", "value": 4, "tolerance": 4}, "passes almost anything"),
        ({"kind": "contains_any", "values": ["."]}, "is in almost any answer"),
        ({"kind": "contains_any", "values": ["a b"], "max_words": 1}, "a value has 2 words"),
        ({"kind": "exact", "values": ["Tom", "tom."]}, "are the same"),
        ({"kind": "json_schema", "schema": {"title": "x"}}, "asks for nothing"),
        (
            {"kind": "json_schema", "schema": {"type": "array"}, "equals": {}},
            "doesn't meet the schema",
        ),
    ],
)
def test_a_useless_check_says_why(fields: dict[str, object], fault: str) -> None:
    (found,) = check(**fields).faults()
    assert fault in found


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "contains_any", "values": ["a"], "max_words": 3},
        {"kind": "json_schema", "schema": {"type": "object"}, "equals": None},
        {"kind": "numeric", "value": 4.0, "tolerance": 0.5},
    ],
)
def test_a_check_is_written_as_it_was_read(fields: dict[str, object]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(check(**fields))) == fields
