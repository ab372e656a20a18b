"""Pass rates of two models on the same rows."""

from harness.recovery.quality import quality


def test_rows_that_flipped_are_named() -> None:
    reference = {"a": True, "b": True, "c": False, "d": False}
    other = {"a": True, "b": False, "c": True, "d": False}

    found = quality(reference, other)

    assert found is not None
    assert (found.lost, found.gained, found.p_value) == (("b",), ("c",), 1.0)
    assert (found.reference.count, found.other.count, found.rows) == (2, 2, 4)
    assert found.recovery is not None
    assert found.recovery.value == 1


def test_without_rows_there_is_no_quality() -> None:
    assert quality({}, {}) is None
