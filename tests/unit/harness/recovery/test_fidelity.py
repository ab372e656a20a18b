"""Divergence and agreement of two models over rows."""

from harness.recovery.fidelity import Places, fidelity


def test_an_interval_ends_where_the_figure_can_not_go_on() -> None:
    """One row of four has all the divergence: the mean less its error would be below nothing."""
    same = {f"p{number}": Places(kl=(0.0,) * 10, changed=0) for number in range(3)}
    found = fidelity({**same, "p3": Places(kl=(0.4,) * 10, changed=10)})
    assert found is not None
    assert (found.kl.value, found.kl.low) == (0.1, 0.0)
    assert (found.top1.value, found.top1.high) == (0.75, 1.0)
    assert (found.top1.low, found.kl.high > 0.1) == (0.0, True)


def test_one_row_has_no_interval() -> None:
    assert fidelity({"p0": Places(kl=(0.1,), changed=0)}) is None
