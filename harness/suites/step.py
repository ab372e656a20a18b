"""A step: data that says what to ask, and one function that asks it."""

from abc import abstractmethod
from collections.abc import Sequence

import msgspec

from harness.suites.visit import Visit
from harness.verdict import Finding, Verdict


class NotAskedError(Exception):
    """A step that can't be asked here, and why; it is told and counts for nothing."""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: str

    @abstractmethod
    async def run(self, visit: Visit) -> list[Finding]:
        """What was found; at least one finding. Raises NotAskedError.

        An httpx.HTTPError that it lets through is a FAIL: the gateway didn't answer.
        """


def checked(name: str, problems: Sequence[str], well: str) -> Finding:
    """PASS where there is no problem; FAIL, with the problems."""
    return Finding(
        name=name,
        verdict=Verdict.FAIL if problems else Verdict.PASS,
        reason="; ".join(problems) or well,
    )
