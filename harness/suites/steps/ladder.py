"""A step that puts on more and more load, looks at the engines' queues, and waits for calm."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Final

import httpx
import msgspec

from harness.plan import Expectations, Generation, Load, Steps
from harness.promptsets import store
from harness.stage import Stage
from harness.suites import pods
from harness.suites.contract import answer_problems
from harness.suites.step import Step, checked
from harness.suites.steps.answers import chat_body
from harness.suites.steps.metrics import engine_client, read
from harness.suites.steps.running import UNTIMED, carried_out, findings_of, plan_for
from harness.suites.visit import Visit
from harness.verdict import Finding, Verdict

_LOOK_EVERY_S: Final = 0.5
_WAITING: Final = "vllm:num_requests_waiting"
_RUNNING: Final = "vllm:num_requests_running"
_MS: Final = 1_000


class Queues(msgspec.Struct):
    """The most that was seen in any one engine."""

    looks: int = 0
    waiting: float = 0.0
    running: float = 0.0


class Ladder(Step, frozen=True, kw_only=True, tag="ladder"):
    team: str
    rates: tuple[float, ...]
    """Requests a second, each for an equal part of the duration."""
    duration_s: float
    max_tokens: int
    """Of every answer, exactly: the model is not let stop before."""
    probes: int = 9
    """Requests by which calm is told, one after the other."""
    calm: float = 1.5
    """Calm again: the median of the probes is at most so many times what it was before."""
    calm_within_s: float = 120.0
    prompt: str = "What is 2+2?"

    async def run(self, visit: Visit) -> list[Finding]:
        before_s = await self._probed(visit)
        pods_before = await pods.ready(visit.kubectl) if visit.kubectl else None
        async with watched(visit.stage) as queues:
            loaded = await self._load(visit)
            pods_during = await pods.ready(visit.kubectl) if visit.kubectl else None
        return [
            *loaded,
            self._queued(queues),
            pods.finding(f"{self.name}: pods", pods_before, pods_during),
            await self._calm(visit, before_s),
        ]

    async def _load(self, visit: Visit) -> list[Finding]:
        """Overload is what is wanted, so that requests fail is no fault; see `max_error_rate`."""
        promptset = store.load(visit.promptset)
        plan = plan_for(
            visit,
            promptset,
            Load(arrivals=Steps(rates=self.rates), duration_s=self.duration_s),
            models=(self.team,),
            expect=Expectations(max_error_rate=1.0),
            validity=UNTIMED,
            generation=Generation(max_tokens=self.max_tokens, extra={"ignore_eos": True}),
        )
        _, summary = await carried_out(visit, plan, promptset)
        return findings_of(self.name, summary.findings)

    def _queued(self, queues: Queues) -> Finding:
        seen = (
            f"up to {queues.running:g} running and {queues.waiting:g} waiting in one engine, at "
            f"{max(self.rates):g} requests/s"
        )
        if not queues.looks:
            seen = "no engine could be asked for its metrics here, so no queue could be seen"
        elif not queues.waiting:
            seen += ": no queue formed, so nothing had to scale; raise the rates"
        return Finding(
            name=f"{self.name}: queue",
            verdict=Verdict.PASS if queues.waiting else Verdict.INCONCLUSIVE,
            reason=seen,
            measured=queues.waiting if queues.looks else None,
            unit="requests",
        )

    async def _calm(self, visit: Visit, before_s: float) -> Finding:
        began = time.monotonic()
        while True:
            now_s = await self._probed(visit)
            took = time.monotonic() - began
            calm = math.isfinite(before_s) and now_s <= self.calm * before_s
            if calm or not math.isfinite(before_s) or took > self.calm_within_s:
                break
        said = f"median {_told(now_s)} after {took:.0f} s, {_told(before_s)} before"
        problem = f"{said}; at most {self.calm:g} times what it was is calm"
        return checked(f"{self.name}: calm afterwards", [] if calm else [problem], said)

    async def _probed(self, visit: Visit) -> float:
        """Median seconds. Raises httpx.HTTPError where the gateway is gone."""
        body = chat_body(self.team, self.prompt, 8)
        seconds = []
        for _ in range(self.probes):
            began = time.monotonic()
            response = await visit.ask("POST", "/v1/chat/completions", self.team, body)
            took = time.monotonic() - began
            # What was refused was quick, and shows no calm.
            seconds.append(float("inf") if answer_problems(response) else took)
        return median(seconds)


def _told(seconds: float) -> str:
    return f"{seconds * _MS:.0f} ms" if math.isfinite(seconds) else "without proper answers"


@contextlib.asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[Queues]:
    """What the engines' queues come to while it is open."""
    queues = Queues()
    looking = asyncio.create_task(_look(stage, queues))
    try:
        yield queues
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look(stage: Stage, queues: Queues) -> None:
    async with engine_client(stage) as client:
        while stage.engines:
            for url in stage.engines.values():
                with contextlib.suppress(httpx.HTTPError):
                    metrics = await read(client, url)
                    queues.looks += 1
                    queues.waiting = max(queues.waiting, metrics.get(_WAITING, 0.0))
                    queues.running = max(queues.running, metrics.get(_RUNNING, 0.0))
            await asyncio.sleep(_LOOK_EVERY_S)
