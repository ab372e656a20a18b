"""Empty answers and echoes never pass, whatever a row asks for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import Check, ContainsAll, ContainsAny, Exact, Graded, Numeric, Regex, grade
from harness.checks.text import after_echo, normalised, term

FOUR = Numeric(value=4)
LENIENT = Regex(pattern="a?")
CHECKS = st.sampled_from(
    [FOUR, LENIENT, ContainsAny(values=("2", "is")), Exact(values=("what is 2+2",))]
)


def test_without_checks_nothing_is_graded() -> None:
    assert grade([], "What is 2+2?", "4") == Graded(None, ())


def test_all_checks_must_pass() -> None:
    graded = grade([FOUR, ContainsAll(values=("easy",))], "What is 2+2?", "4")
    assert graded == Graded(False, ("contains_all: lacks 'easy'",))  # noqa: FBT003


@pytest.mark.parametrize("answer", ["", " ", "\n\t", "\u200b", "\ufeff \u00a0"])
def test_an_empty_answer_fails_even_what_anything_passes(answer: str) -> None:
    assert grade([LENIENT], "Q?", answer) == Graded(False, ("the answer is empty",))  # noqa: FBT003


@pytest.mark.parametrize(
    "answer",
    [
        "What is 2+2?",
        "what is 2 + 2",
        '"What is 2+2?"',
        "What is 2+2? What is 2+2?",
        "**What is 2+2?**\n",
    ],
)
def test_an_echo_fails_even_what_anything_passes(answer: str) -> None:
    graded = grade([LENIENT], "What is 2+2?", answer)
    assert graded.passed is False
    assert graded.failures == ("the answer only repeats the question",)


def test_an_answer_after_the_repeated_question_counts() -> None:
    assert grade([FOUR], "What is 2+2?", "What is 2+2? 4").passed
    assert not grade([FOUR], "What is 2+2?", "What is 2+2? 5").passed


def test_a_short_question_may_begin_its_answer() -> None:
    assert grade([ContainsAny(values=("hello",))], "Hello", "Hello! How can I help?").passed
    assert not grade([ContainsAny(values=("hello",))], "Hello", "Hello!").passed


@given(question=st.text(max_size=60), blank=st.text(" \t\n\r\u00a0\u200b", max_size=5), one=CHECKS)
def test_nothing_and_the_question_itself_never_pass(question: str, blank: str, one: Check) -> None:
    assert grade([one], question, blank).passed is False
    assert grade([one], question, blank + question + blank).passed is False


@given(st.text(max_size=200), st.text(max_size=200))
def test_what_follows_an_echo_is_part_of_the_answer(question: str, answer: str) -> None:
    assert answer.endswith(after_echo(question, answer))


@given(st.text(max_size=100))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(min_size=1, max_size=20).filter(normalised), st.text("ab .,", max_size=10))
def test_a_value_is_found_where_it_stands_alone(value: str, around: str) -> None:
    assert term(value).search(normalised(f"{around} {value}")) or not normalised(value)[0].isalnum()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_printed_number_is_read_back(value: float) -> None:
    text = f"The answer is {value:.6f}"
    assert grade([Numeric(value=float(f"{value:.6f}"))], "How much?", text).passed


@given(st.text(max_size=300))
def test_no_answer_breaks_a_check(answer: str) -> None:
    every = msgspec.convert(
        [
            {"kind": "contains_any", "values": ["a"]},
            {"kind": "contains_all", "values": ["1", "b"]},
            {"kind": "exact", "values": ["a"]},
            {"kind": "regex", "pattern": "^a"},
            {"kind": "numeric", "value": 1},
            {"kind": "json_schema", "schema": {"type": "object"}},
        ],
        tuple[Check, ...],
    )
    assert grade(every, "q", answer).passed is False
