"""What is asked, in which order, and only what was not asked before."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.draws import permutation, words
from harness.errors import StoreError
from harness.promptsets.rows import Row
from harness.recovery.asking import Asker, Unanswered
from harness.recovery.observations import (
    Batch,
    Footprint,
    Generated,
    Key,
    Observation,
    Scored,
    Timed,
)
from harness.recovery.plan import ARMS, REFERENCE, RecoveryPlan

BATCH_EVERY: Final = 5
"""Turns: a batch takes as long as several."""
TOO_SHORT: Final = "an answer shorter than asked for"
NOTHING_TO_SCORE: Final = "the reference has no answer"

Append = Callable[[Observation], None]


def planned(plan: RecoveryPlan, rows: Sequence[Row]) -> list[Key]:
    """Everything that a whole run has observed once."""
    turns = range(plan.timings)
    return [
        *((kind, arm, row.prompt_id) for row in rows for kind in _TEXTS for arm in ARMS),
        *(("timed", arm, str(turn)) for turn in turns for arm in ARMS),
        *(("batch", arm, str(turn)) for turn in turns if _has_batch(turn) for arm in ARMS),
        *(("footprint", arm, "") for arm in ARMS),
    ]


_TEXTS: Final = ("generated", "scored")


@dataclass(kw_only=True)
class Measuring:
    """One process' part of a run."""

    plan: RecoveryPlan
    rows: Sequence[Row]
    askers: Mapping[str, Asker]
    append: Append
    advance: Callable[[], None]
    """Called after every observation."""
    seen: dict[Key, Observation] = field(default_factory=dict)
    """What earlier processes observed."""

    async def run(self) -> None:
        """Ends when everything planned was observed, answered or not."""
        slots = asyncio.Semaphore(self.plan.concurrency)
        order = permutation(self.plan.seed, "recovery rows", len(self.rows))
        rows = [self.rows[place] for place in order]
        await self._all(slots, self._todo(rows, "generated"), self._generate)
        await self._all(slots, self._todo(rows, "scored"), self._score)
        for turn in range(self.plan.timings):
            await self._turn(turn, rows[turn % len(rows)])
        for arm in ARMS:
            await self._footprint(arm)

    def _todo(self, rows: Iterable[Row], kind: str) -> list[tuple[str, Row]]:
        return [
            (arm, row)
            for place, row in enumerate(rows)
            for arm in _drawn(self.plan.seed, kind, place)
            if (kind, arm, row.prompt_id) not in self.seen
        ]

    async def _all(
        self,
        slots: asyncio.Semaphore,
        todo: Iterable[tuple[str, Row]],
        ask: Callable[[str, Row], Awaitable[Generated | Scored]],
    ) -> None:
        async def one(arm: str, row: Row) -> None:
            async with slots:
                self._observe(await ask(arm, row))

        try:
            async with asyncio.TaskGroup() as group:
                for arm, row in todo:
                    group.create_task(one(arm, row))
        except* StoreError as failed:  # the first is enough to say
            raise StoreError(str(failed.exceptions[0])) from None

    async def _generate(self, arm: str, row: Row) -> Generated:
        return await self.askers[arm].generate(row)

    async def _score(self, arm: str, row: Row) -> Scored:
        answer = self.seen[("generated", REFERENCE, row.prompt_id)]
        if not isinstance(answer, Generated) or not (answer.prompt_ids and answer.token_ids):
            return Scored(arm=arm, prompt_id=row.prompt_id, error=NOTHING_TO_SCORE)
        return await self.askers[arm].score(row.prompt_id, answer.prompt_ids, answer.token_ids)

    async def _turn(self, turn: int, row: Row) -> None:
        for arm in _drawn(self.plan.seed, "timed", turn):
            if ("timed", arm, str(turn)) not in self.seen:
                self._observe(await self._timed(arm, turn, row))
        if not _has_batch(turn):
            return
        for arm in _drawn(self.plan.seed, "batch", turn):
            if ("batch", arm, str(turn)) not in self.seen:
                self._observe(await self._batch(arm, turn, row))

    async def _timed(self, arm: str, turn: int, row: Row) -> Timed:
        try:
            first_ns, _ = await self.askers[arm].time(row, 1)
            whole_ns, tokens = await self.askers[arm].time(row, self.plan.timed_tokens)
        except Unanswered as error:
            return Timed(arm=arm, turn=turn, error=str(error))
        if tokens < 2:  # noqa: PLR2004  # nothing after the first
            return Timed(arm=arm, turn=turn, error=TOO_SHORT)
        return Timed(arm=arm, turn=turn, first_ns=first_ns, whole_ns=whole_ns, tokens=tokens)

    async def _batch(self, arm: str, turn: int, row: Row) -> Batch:
        began = time.perf_counter_ns()
        try:
            tokens = await _at_once(
                self.askers[arm].time(row, self.plan.timed_tokens)
                for _ in range(self.plan.concurrency)
            )
        except Unanswered as error:
            return Batch(arm=arm, turn=turn, error=str(error))
        return Batch(arm=arm, turn=turn, ns=time.perf_counter_ns() - began, tokens=tokens)

    async def _footprint(self, arm: str) -> None:
        if ("footprint", arm, "") not in self.seen:
            told: Footprint = await self.askers[arm].footprint()
            self._observe(told)

    def _observe(self, observation: Observation) -> None:
        self.append(observation)
        self.seen[observation.key] = observation
        self.advance()


async def _at_once(requests: Iterable[Coroutine[None, None, tuple[int, int]]]) -> int:
    """How many tokens all of them gave. Raises Unanswered when none runs any more."""
    answers = await asyncio.gather(*requests, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return sum(answer[1] for answer in answers if not isinstance(answer, BaseException))


def _drawn(seed: int, kind: str, place: int) -> tuple[str, ...]:
    """The arms in an order of this place's own, so that none always has the warm cache."""
    draw = words(seed, f"recovery {kind}")(place)
    left, order = list(ARMS), []
    while left:
        draw, pick = divmod(draw, len(left))
        order.append(left.pop(pick))
    return tuple(order)


def _has_batch(turn: int) -> bool:
    return turn % BATCH_EVERY == 0
