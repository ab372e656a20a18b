"""Shards back into one run: exactly what one process would have added up, or INVALID."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from harness import summary as summaries
from harness.aggregate import Aggregate
from harness.findings import findings as of_run
from harness.jobs.shards import cut
from harness.jobs.steps import plan_in, pretty, rows_in
from harness.jobs.store import Store
from harness.jobs.work import FINISHED, Finished, decoded
from harness.load.items import Items
from harness.plan import Plan
from harness.summarise import summarise
from harness.summary import Summary
from harness.verdict import Finding, Verdict, overall, worst_first

LATEST_START_S: Final = 1.0
"""A shard that begins later was not part of the load that the others made."""
_OF_CLIENTS: Final = frozenset({"dispatch lag p99", "loop lag p99", "CPU share"})
_SHOWN: Final = 5


def merge(store: Store) -> Summary:
    """The run's summary, written beside its records. What is missing or double makes it INVALID."""
    plan = plan_in(store)
    planned = Items(plan, rows_in(store)).planned
    seen = _Seen(plan)

    def parts() -> Iterator[Aggregate]:
        for name in store.names(FINISHED):
            done = decoded(store, name)
            seen.take(done)
            yield done.aggregate

    summary = summarise(plan, total(parts(), Aggregate.of((), plan, planned=planned)))
    findings = (*summary.findings, *seen.findings([one.number for one in cut(plan, planned)]))
    summary = replace(
        summary,
        findings=worst_first(findings),
        verdict=overall(findings),
    )
    store.put(summaries.FILE, pretty(summary))
    return summary


def total(parts: Iterable[Aggregate], into: Aggregate) -> Aggregate:
    """The sum of all parts in `into`, with only a few of them in memory.

    Two sums of as many parts each become one, so every part is added about log2(n) times instead of
    once for each one that follows: a ledger of strides is only as long as its run when whole.
    """
    sums: list[tuple[int, Aggregate]] = []
    for part in parts:
        weight, summed = 1, part
        while sums and sums[-1][0] == weight:
            _, earlier = sums.pop()
            earlier.update(summed)
            weight, summed = weight * 2, earlier
        sums.append((weight, summed))
    for _, summed in reversed(sums):
        into.update(summed)
    return into


class _Seen:
    """What sums hide: a shard that is missing, late, or whose own client was not fit."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._late: dict[int, float] = {}
        self._gave_up: list[int] = []
        self._unfit: dict[int, str] = {}

    def take(self, done: Finished) -> None:
        self._late[done.shard] = done.late_s
        self._gave_up += [done.shard] * done.gave_up
        for finding in of_run(self._plan, done.aggregate):
            if finding.name in _OF_CLIENTS and finding.verdict is Verdict.INVALID:
                self._unfit[done.shard] = finding.reason

    def findings(self, expected: list[int]) -> Iterator[Finding]:
        missing = [number for number in expected if number not in self._late]
        yield _finding(
            "shards",
            wrong=f"{len(missing):,} of {len(expected):,} shards never finished, e.g. "
            f"{', '.join(map(str, missing[:_SHOWN]))}: look into their functions' logs"
            if missing
            else "",
            right=f"all {len(expected):,} shards finished",
        )
        yield _finding(
            "time",
            wrong=f"{len(self._gave_up):,} shards had no more time, e.g. {self._gave_up[0]}: "
            "plan a shorter run, or more shards"
            if self._gave_up
            else "",
            right="no shard ran out of time",
        )
        latest, late_s = max(self._late.items(), key=lambda item: item[1], default=(0, 0.0))
        yield _finding(
            "common start",
            wrong=f"shard {latest} began {late_s:,.1f} s after the common start, so the load was "
            "another than planned: give the functions more time to start"
            if late_s > LATEST_START_S
            else "",
            right=f"every shard began within {LATEST_START_S:g} s of the common start",
        )
        shard, reason = next(iter(self._unfit.items()), (0, ""))
        yield _finding(
            "every client",
            wrong=f"{len(self._unfit):,} of {len(self._late):,} shards had a client that was not "
            f"fit, e.g. {shard}: {reason}"
            if reason
            else "",
            right="each shard's client was fit to measure",
        )


def _finding(name: str, *, wrong: str, right: str) -> Finding:
    verdict = Verdict.INVALID if wrong else Verdict.PASS
    return Finding(name=name, verdict=verdict, reason=wrong or right)
