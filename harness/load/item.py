from dataclasses import dataclass

from harness.plan import Arm
from harness.promptsets.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One request to come: which row is asked of whom."""

    index: int
    arm: Arm
    row: Row
    pair: int
    """What two arms have in common; without a second arm the index."""
    seed: int
    """The row's own: a prompt that comes again is asked again with the same seed."""
