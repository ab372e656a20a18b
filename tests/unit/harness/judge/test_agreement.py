"""Agreement beyond chance."""

import pytest

from harness.judge.agreement import Confusion, kappa


def test_kappa_is_the_textbooks() -> None:
    """Cohen's own formula by hand: observed .7, chance .5."""
    counts = Confusion(passed_rightly=20, passed_wrongly=5, failed_wrongly=10, failed_rightly=15)
    found = kappa(counts)
    assert found is not None
    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high


def test_perfect_agreement_on_few_is_not_certain() -> None:
    few = kappa(Confusion(passed_rightly=5, failed_rightly=5))
    many = kappa(Confusion(passed_rightly=200, failed_rightly=200))
    assert few is not None
    assert many is not None
    assert few.value == many.value == few.high == 1.0
    assert few.low < 0.7
    assert many.low > 0.9


def test_agreement_by_chance_is_zero() -> None:
    cells = Confusion(passed_rightly=10, passed_wrongly=10, failed_wrongly=10, failed_rightly=10)
    found = kappa(cells)
    assert found is not None
    assert found.value == pytest.approx(0.0)


@pytest.mark.parametrize("counts", [Confusion(), Confusion(passed_rightly=9)])
def test_where_all_are_of_one_kind_there_is_no_kappa(counts: Confusion) -> None:
    assert kappa(counts) is None
