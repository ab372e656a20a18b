"""Which variant answers: sticky, in proportion, and moving as few units as can be."""

from collections import Counter
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import routing
from chalicelib.errors import GatewayError
from tests.support.teams import team, variant

FINETUNE: Final = team({"v1": 80, "v2": 20}, salt="finetune-1")
WEIGHTS: Final = st.lists(st.integers(0, 100), min_size=2, max_size=5).filter(any)
UNITS: Final = st.text(max_size=40)


def chosen(weights: dict[str, int], unit: str) -> str:
    return routing.choose(FINETUNE, weights, unit).variant.name


@pytest.mark.parametrize("units", [2_000, 20_000])
@pytest.mark.parametrize("share", [50, 70, 80, 95])
def test_units_are_dealt_in_the_proportion_of_the_weights(units: int, share: int) -> None:
    weights = {"v1": share, "v2": 100 - share}
    counts = Counter(chosen(weights, f"unit-{number}") for number in range(units))
    assert abs(100 * counts["v1"] / units - share) <= 3


def test_three_variants_share_in_proportion() -> None:
    three = team({"a": 50, "b": 30, "c": 20})
    counts = Counter(
        routing.choose(three, three.declared_weights, str(number)).variant.name
        for number in range(20_000)
    )
    for name, share in three.declared_weights.items():
        assert abs(100 * counts[name] / 20_000 - share) <= 3


def test_from_80_20_to_70_30_only_ten_points_move_and_only_one_way() -> None:
    before, after = {"v1": 80, "v2": 20}, {"v1": 70, "v2": 30}
    moves = Counter((chosen(before, unit), chosen(after, unit)) for unit in map(str, range(20_000)))
    assert moves["v2", "v1"] == 0
    assert abs(100 * moves["v1", "v2"] / 20_000 - 10) <= 1


@given(before=WEIGHTS, change=st.integers(1, 100), unit=UNITS)
def test_a_variant_that_gains_weight_loses_no_unit(
    before: list[int], change: int, unit: str
) -> None:
    weights = {f"v{number}": weight for number, weight in enumerate(before)}
    there = team(weights)
    first = routing.choose(there, weights, unit).variant.name
    grown = {**weights, first: weights[first] + change}
    assert routing.choose(there, grown, unit).variant.name == first


@given(weights=WEIGHTS, unit=UNITS)
def test_a_unit_stays_and_never_lands_on_weight_0(weights: list[int], unit: str) -> None:
    named = {f"v{number}": weight for number, weight in enumerate(weights)}
    there = team(named)
    first = routing.choose(there, named, unit)
    assert first == routing.choose(team(named), dict(reversed(named.items())), unit)
    assert named[first.variant.name] > 0
    assert first.reason == "split"


def test_another_salt_deals_all_units_anew() -> None:
    other = team({"v1": 80, "v2": 20}, salt="finetune-2")
    weights = {"v1": 50, "v2": 50}
    stayed = sum(
        routing.choose(other, weights, str(number)).variant.name == chosen(weights, str(number))
        for number in range(2_000)
    )
    assert 900 <= stayed <= 1_100


def test_the_draw_is_the_same_in_every_version_of_the_code() -> None:
    """Else a deployment would deal every running experiment anew."""
    assert routing.draw("salt", "unit", "variant") == pytest.approx(0.15909439412486265, abs=1e-15)


@given(salt=st.text(), unit=st.text(), variant=st.text())
def test_a_draw_lies_strictly_between_0_and_1(salt: str, unit: str, variant: str) -> None:
    try:
        drawn = routing.draw(salt, unit, variant)
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text, and no request carries one
    assert 0 < drawn < 1


def test_a_pin_decides_even_against_weight_0() -> None:
    choice = routing.choose(FINETUNE, {"v1": 100, "v2": 0}, "unit", pin="v2")
    assert (choice.variant.name, choice.reason) == ("v2", "pinned")


def test_a_pin_to_nothing_names_what_there_is() -> None:
    with pytest.raises(GatewayError, match="It has: v1, v2") as caught:
        routing.choose(FINETUNE, {"v1": 100}, "unit", pin="v3")
    assert (caught.value.code, caught.value.param) == ("unknown_variant", "variant")


def test_a_stored_variant_the_code_no_longer_has_counts_for_nothing() -> None:
    weights = {"gone": 90, "v1": 0, "v2": 10}
    assert {chosen(weights, str(number)) for number in range(50)} == {"v2"}


def test_the_version_is_short_and_stands_for_the_weights() -> None:
    version = routing.version(FINETUNE, {"v1": 80, "v2": 20})
    assert len(version) == 12
    assert version == routing.version(FINETUNE, {"v2": 20, "v1": 80})
    assert version != routing.version(FINETUNE, {"v1": 79, "v2": 21})


def test_the_version_changes_with_all_that_decides_or_serves() -> None:
    weights = {"v1": 80, "v2": 20}
    base = FINETUNE
    others = [
        team(weights, salt="finetune-2"),
        team(weights, salt="finetune-1", targets=("vllm:two",)),
        team({**weights, "v3": 0}, salt="finetune-1"),
    ]
    renamed = dict(base.variants) | {"v2": variant("v2", weight=20, model="another")}
    others.append(team(weights, salt="finetune-1"))
    others[-1].variants.update(renamed)  # type: ignore[attr-defined]
    versions = {routing.version(there, weights) for there in [base, *others]}
    assert len(versions) == 5
