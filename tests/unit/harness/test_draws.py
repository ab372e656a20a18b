from statistics import fmean

import pytest

from harness.draws import permutation, uniforms, words


def test_a_draw_depends_on_seed_stream_and_index_only() -> None:
    forwards = [words(7, "arrivals")(index) for index in range(100)]
    backwards = [words(7, "arrivals")(index) for index in reversed(range(100))]

    assert forwards == backwards[::-1]


@pytest.mark.parametrize("other", [words(8, "arrivals"), words(7, "seeds")])
def test_other_seeds_and_streams_draw_otherwise(other: object) -> None:
    draw = words(7, "arrivals")

    assert callable(other)
    assert not {draw(index) for index in range(1000)} & {other(index) for index in range(1000)}


def test_draws_stay_as_they_are_from_version_to_version() -> None:
    """A plan that was kept must mean the same requests later."""
    assert [words(1, "x")(index) for index in range(2)] == [
        9702619038617458904,
        1385431340642806597,
    ]


def test_uniforms_fill_the_unit_interval_evenly() -> None:
    draw = uniforms(3, "gaps")
    drawn = [draw(index) for index in range(20_000)]

    assert all(0 <= one < 1 for one in drawn)
    assert fmean(drawn) == pytest.approx(0.5, abs=0.01)
    assert sum(one < 0.1 for one in drawn) == pytest.approx(2000, abs=150)


def test_a_permutation_has_every_number_once() -> None:
    shuffled = permutation(5, "rows", 50)

    assert sorted(shuffled) == list(range(50))
    assert shuffled != list(range(50))
    assert shuffled == permutation(5, "rows", 50)
