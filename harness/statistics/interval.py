"""An effect with what it may be."""

import msgspec


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate and the ends of its interval, in the estimate's own unit."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def excludes(self, value: float) -> bool:
        return value < self.low or value > self.high

    def times(self, factor: float) -> "Interval":
        """In another unit. `factor` is above 0."""
        return Interval(
            value=self.value * factor,
            low=self.low * factor,
            high=self.high * factor,
            level=self.level,
        )
