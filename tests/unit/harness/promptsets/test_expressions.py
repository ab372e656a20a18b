"""Formulas reckon, and do nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.promptsets.expressions import evaluate

ROWS = [{"n": 2, "who": "Ada"}, {"n": 5, "who": "Bo"}, {"n": 9, "who": "Ada"}]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a + b * 2", 17),
        ("-a", -3),
        ("a if a > b else b", 7),
        ("a in [1, 3]", True),
        ("a < b and b < 10", True),
        ("a > b or b == 7", True),
        ("rows[1].who", "Bo"),
        ("total(rows, 'n')", 16),
        ("total(rows, 'n', 'who', 'Ada')", 11),
        ("column(rows, 'who')[2]", "Ada"),
        ("count(rows, 'who', 'Ada')", 2),
        ("roman(1994)", "MCMXCIV"),
        ("binary(10)", "1010"),
        ("hexadecimal(255)", "FF"),
        ("weekday('2024-02-29')", "Thursday"),
        ("add_days('2024-02-28', 2)", "2024-03-01"),
        ("days_between('2024-01-01', '2025-01-01')", 366),
        ("clock(875)", "14:35"),
        ("reverse('abc')", "cba"),
        ("round(2.345, 1)", 2.3),
        ("gcd(12, 18)", 6),
    ],
)
def test_a_formula_has_its_value(formula: str, expected: object) -> None:
    assert evaluate(formula, {"a": 3, "b": 7, "rows": ROWS}) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os')",
        "open('x')",
        "a.__class__",
        "(lambda: 1)()",
        "[x for x in [1]]",
        "a := 1",
        "f'{a}'",
        "sum(key=1)",
        "nobody",
        "1 / 0",
        "'a' + 1",
        "rows[9]",
        "a +",
        "1 < a < 9",
    ],
)
def test_what_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        evaluate(formula, {"a": 3, "rows": ROWS})


@given(st.integers(1, 3999))
def test_roman_numerals_add_up(number: int) -> None:
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    signs = [values[sign] for sign in evaluate("roman(n)", {"n": number})]
    following = [*signs[1:], 0]
    assert sum(-a if a < b else a for a, b in zip(signs, following, strict=True)) == number
