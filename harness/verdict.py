"""What a run ends with, and why."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec


class Verdict(StrEnum):
    """Worst last. The value is what people and JSON see; `exit_code` is what a pipeline sees."""

    PASS = "PASS"  # noqa: S105  # no password
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    INVALID = "INVALID"

    @property
    def exit_code(self) -> int:
        return _EXIT_CODES[self]


_EXIT_CODES: Final = {
    Verdict.PASS: 0,
    Verdict.FAIL: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.INVALID: 3,
}
_SEVERITY: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was asked of a run, and the answer."""

    name: str
    """What was asked, e.g. `pass rate` or `dispatch lag p99`."""
    verdict: Verdict
    reason: str
    """One sentence with the figures: what was measured, what is allowed, what to do."""
    measured: float | None = None
    limit: float | None = None
    unit: str = ""


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of the same verdict stay in their order."""
    return tuple(sorted(findings, key=lambda finding: -_SEVERITY[finding.verdict]))


def overall(findings: Iterable[Finding]) -> Verdict:
    """The worst of them: INVALID over FAIL over INCONCLUSIVE over PASS.

    Nothing asked is nothing shown: without a finding the verdict is INCONCLUSIVE.
    """
    verdicts = [finding.verdict for finding in findings]
    return max(verdicts, key=_SEVERITY.__getitem__, default=Verdict.INCONCLUSIVE)
