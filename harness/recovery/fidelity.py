"""What two models expect at each place of the same texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.recovery.information import kl_at_least, most_probable
from harness.recovery.observations import Position
from harness.recovery.results import Excess, Fidelity
from harness.statistics.interval import Interval
from harness.statistics.means import ratio_of_means

_WORST: Final = 10

Texts = Mapping[str, Sequence[Position]]
"""By prompt_id."""


@dataclass(frozen=True, slots=True)
class Places:
    """One row's positions: divergence of each, and how many have another most probable token."""

    kl: tuple[float, ...]
    changed: int


def places(reference: Texts, other: Texts, top: int) -> dict[str, Places]:
    """Of rows that both scored."""
    return {
        row: _places(positions, other[row], top)
        for row, positions in reference.items()
        if row in other and positions
    }


def _places(reference: Sequence[Position], other: Sequence[Position], top: int) -> Places:
    pairs = list(zip(reference, other, strict=True))
    return Places(
        kl=tuple(kl_at_least(one, two, top) for one, two in pairs),
        changed=sum(not _agree(one, two) for one, two in pairs),
    )


def _agree(one: Position, two: Position) -> bool:
    token = most_probable(one)
    return token is not None and token == most_probable(two)


def fidelity(rows: Mapping[str, Places]) -> Fidelity | None:
    """None below two rows."""
    kl = _per_token(rows, [sum(row.kl) for row in rows.values()])
    differing = _per_token(rows, [row.changed for row in rows.values()])
    if kl is None or differing is None:
        return None
    means = {name: sum(row.kl) / len(row.kl) for name, row in rows.items()}
    worst = sorted(means.items(), key=lambda one: one[1], reverse=True)[:_WORST]
    return Fidelity(
        rows=len(rows),
        positions=sum(len(row.kl) for row in rows.values()),
        # Within what they can be: the intervals of means know no bounds.
        kl=Interval(value=kl.value, low=max(0.0, kl.low), high=kl.high),
        top1=Interval(
            value=1 - differing.value,
            low=max(0.0, 1 - differing.high),
            high=min(1.0, 1 - differing.low),
        ),
        tokens_kl=tuple(kl for row in rows.values() for kl in row.kl),
        worst=tuple((name, mean) for name, mean in worst if mean > 0),
    )


def excess(candidate: Mapping[str, Places], floor: Mapping[str, Places]) -> Excess | None:
    """The candidate's less the floor's, in rows that have both; None below two of them."""
    rows = {name: row for name, row in candidate.items() if name in floor}
    kl = _per_token(rows, [sum(row.kl) - sum(floor[name].kl) for name, row in rows.items()])
    changed = _per_token(rows, [row.changed - floor[name].changed for name, row in rows.items()])
    if kl is None or changed is None:
        return None
    return Excess(kl=kl, disagreement=changed)


def _per_token(rows: Mapping[str, Places], sums: Sequence[float]) -> Interval | None:
    return ratio_of_means([len(row.kl) for row in rows.values()], sums)
