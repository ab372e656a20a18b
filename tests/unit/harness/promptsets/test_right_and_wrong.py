"""Shipped questions tell a right answer in other words from what is plausibly said wrong."""

import pytest

from harness.checks import grade
from harness.promptsets.rows import Row
from harness.promptsets.store import load, shipped

HYPERTENSION = "What is hypertension? Answer in one sentence."
BRADYCARDIA = 'What does "bradycardia" mean? Answer in one sentence.'
SUBPOENA = "What is a subpoena? Answer in one sentence."
AGENDA = "What is an agenda for a meeting? Answer in one sentence."
DNS = "What does DNS translate? Answer in one sentence."
INFLATION = "What is inflation in economics? One sentence, please."
PRIME = "What is a prime number? One sentence, please."


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.question: row for name in shipped() for row in load(name).rows}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (HYPERTENSION, "A condition in which the blood pressure is chronically elevated."),
        (BRADYCARDIA, "The heart beats fewer than 60 times a minute."),
        (SUBPOENA, "A court's written order to testify or to produce documents."),
        (AGENDA, "A plan of the items that participants will go through."),
        (DNS, "Human-readable host names into the numeric IP addresses of machines."),
        (
            INFLATION,
            "The overall price level is rising year by year.",
        ),
        (PRIME, "A natural number above 1 with exactly two factors."),
    ],
)
def test_a_right_answer_in_other_words_passes(
    rows: dict[str, Row], question: str, answer: str
) -> None:
    assert grade(rows[question].checks, question, answer).failures == ()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (HYPERTENSION, "It is blood pressure that is too low."),
        (BRADYCARDIA, "It is a low supply of oxygen to the heart."),
        (SUBPOENA, "It is a written statement of evidence, sworn before a notary."),
        (AGENDA, "It is a list of the people who took part."),
        (DNS, "It translates IP addresses into MAC addresses."),
        (INFLATION, "It is a general fall in prices."),
        (PRIME, "It is a number that is divisible by two."),
    ],
)
def test_a_plausible_wrong_answer_fails(rows: dict[str, Row], question: str, answer: str) -> None:
    assert grade(rows[question].checks, question, answer).passed is False
