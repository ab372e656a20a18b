import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.histogram import Histogram, bucket_of, lowest_of, middle_of

values = st.integers(0, 2**45)


@given(values)
def test_a_value_lies_in_its_bucket(value: int) -> None:
    bucket = bucket_of(value)

    assert lowest_of(bucket) <= value < lowest_of(bucket + 1)


@given(values)
def test_a_value_is_known_to_a_part_in_a_thousand(value: int) -> None:
    assert middle_of(bucket_of(value)) == pytest.approx(value, rel=2**-11, abs=0)


def test_buckets_follow_each_other_without_a_gap() -> None:
    assert [bucket_of(value) for value in range(4096)] == [*range(3072)][:2048] + [
        2048 + step // 2 for step in range(2048)
    ]


@given(st.lists(st.lists(values)))
def test_shards_merge_to_the_whole_bucket_for_bucket(shards: list[list[int]]) -> None:
    merged = Histogram()
    for shard in shards:
        merged.update(Histogram.of(shard))

    assert merged == Histogram.of(value for shard in shards for value in shard)


def test_ranks_are_those_of_the_sorted_values() -> None:
    drawn = [random.Random(1).randrange(2000) for _ in range(500)]
    histogram = Histogram.of(drawn)

    assert [histogram.at_rank(rank) for rank in range(1, 501)] == sorted(drawn)


@pytest.mark.parametrize("rank", [0, 3, -1])
def test_a_rank_that_is_not_there_is_refused(rank: int) -> None:
    with pytest.raises(IndexError, match="of 2 values"):
        Histogram.of([1, 2]).at_rank(rank)


def test_a_negative_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no negative values, got -1"):
        Histogram().add(-1)


def test_two_histograms_share_nothing() -> None:
    first, second = Histogram(), Histogram()

    first.add(7)

    assert (first.total, second.total) == (1, 0)
