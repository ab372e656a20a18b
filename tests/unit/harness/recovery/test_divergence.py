"""Where two answers part, and how long answers stay together."""

import pytest

from harness.recovery.divergence import divergence, first_divergence


@pytest.mark.parametrize(
    ("reference", "other", "index"),
    [
        ([1, 2, 3], [1, 2, 3], None),
        ([1, 2, 3], [9, 2, 3], 0),
        ([1, 2, 3], [1, 2, 4], 2),
        ([1, 2], [1, 2, 3], 2),
        ([1, 2, 3], [1, 2], 2),
        ([], [], None),
        ([], [5], 0),
    ],
)
def test_the_first_token_that_differs(
    reference: list[int], other: list[int], index: int | None
) -> None:
    assert first_divergence(reference, other) == index


def test_no_answers_say_nothing() -> None:
    assert divergence([]) is None


def test_answers_that_are_all_the_same_stay_so_to_the_longest() -> None:
    found = divergence([([1, 2], [1, 2]), ([1, 2, 3], [1, 2, 3])])

    assert found is not None
    assert (found.answers, found.identical, found.at) == (2, 2, ())
    assert [(point.tokens, point.share) for point in found.survival] == [(0, 1.0), (3, 1.0)]


def test_an_answer_that_ended_the_same_is_not_counted_as_the_same_beyond_its_end() -> None:
    """Kaplan and Meier: of the two that lasted two tokens one ended, so the other is all of it."""
    found = divergence(
        [([1], [9]), ([1, 2], [1, 2]), ([1, 2, 3, 4], [1, 2, 9, 4]), ([1, 2, 3, 4], [1, 2, 3, 4])]
    )

    assert found is not None
    assert (found.answers, found.identical, found.at) == (4, 2, (0, 2))
    shares = {point.tokens: point.share for point in found.survival}
    assert shares == {0: 1.0, 1: 0.75, 2: 0.75, 3: 0.375, 4: 0.375}


def test_answers_that_all_part_at_once_end_at_nothing() -> None:
    found = divergence([([1], [2]), ([3], [4])])

    assert found is not None
    assert found.survival[-1].share == 0
    assert all(
        bound is None or 0 <= bound <= 1
        for point in found.survival
        for bound in (point.low, point.high)
    )
