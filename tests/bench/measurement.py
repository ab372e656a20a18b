"""What a benchmark says: a figure, its unit, and the limit that it must keep."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measurement:
    name: str
    value: float | None
    """None: it could not be measured; `note` says why."""
    unit: str
    limit: float
    at_least: bool = False
    """The limit is the lowest allowed, not the highest."""
    note: str = ""

    @property
    def met(self) -> bool:
        """A promise that could not be looked at is not kept."""
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def measured(self) -> str:
        return "not measured" if self.value is None else f"{self.value:.2f} {self.unit}"

    @property
    def allowed(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}
