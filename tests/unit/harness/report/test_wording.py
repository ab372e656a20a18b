"""Numbers in reports: short, never rounded into a lie."""

import math

import pytest

from harness.report.wording import (
    bound,
    clipped,
    level,
    milliseconds,
    moment,
    number,
    percent,
    plural,
    seconds,
)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (1, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (1234.5, "1,230"),
        (1_234_567, "1,230,000"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (0.0009996, "0.00100"),
        (math.nan, "not a number"),
        (-math.inf, "\N{MINUS SIGN}infinite"),
    ],
)
def test_a_number_has_three_digits_and_thousands_apart(value: float, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0325, "103.2 %"),
        (1.005, "100.50 %"),
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50.0 %"),
        (0.0155, "1.55 %"),
        (0.9999, "99.99 %"),
        (0.99999, "99.999 %"),
        (1 - 1e-7, "99.99999 %"),
        (1 - 1e-16, "100 %"),
        (1e-17, "0 %"),
        (-1, "\N{MINUS SIGN}100 %"),
        (0.00001, "0.001 %"),
        (-0.025, "\N{MINUS SIGN}2.50 %"),
    ],
)
def test_only_nothing_is_0_percent_and_only_everything_is_100(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.5, "0.500 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (99.4, "1 min 39 s"),
        (12_000, "3 h 20 min"),
        (7_200, "2 h"),
    ],
)
def test_a_duration_is_said_in_its_own_units(value: float, said: str) -> None:
    assert seconds(value) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23 10:00:00 UTC"),
        ("2026-11-23T12:00:00+02:00", "2026-11-23 10:00:00 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_is_said_in_utc_or_left_as_it_is(written: str, said: str) -> None:
    assert moment(written) == said


def test_small_words() -> None:
    assert [level(0.5), level(0.999)] == ["p50", "p99.9"]
    assert milliseconds(12.345) == "12.3 ms"
    assert [plural(1, "time"), plural(2_000, "time")] == ["1 time", "2,000 times"]


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clipped("abcdef", 6) == "abcdef"
    assert clipped("abcdefg", 6) == "abcde…"


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.02, "2 %"), (0.07, "7 %"), (0.999, "99.9 %"), (1 - 1e-9, "99.9999999 %"), (1, "100 %")],
)
def test_a_limit_is_told_as_it_was_written(share: float, said: str) -> None:
    assert bound(share) == said
