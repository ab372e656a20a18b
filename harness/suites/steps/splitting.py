"""Steps about a team's split: does it hold, and does a session stay where it is?"""

import asyncio
from collections import Counter
from typing import Annotated

import httpx
import msgspec

from harness.demo.proof import shares, split_problems
from harness.suites.contract import answer_problems, document_of
from harness.suites.step import NotAskedError, Step, checked
from harness.suites.steps.answers import chat_body
from harness.suites.visit import Visit
from harness.verdict import Finding

_AT_ONCE = 4


class Split(Step, frozen=True, kw_only=True, tag="split"):
    """So many sessions are dealt as the weights in force let expect, but for 1 in 1,000 times."""

    team: str
    prompt: str
    sessions: int = 200
    prefix: str = "suite"

    async def run(self, visit: Visit) -> list[Finding]:
        weights = await _weights(visit, self.team)
        if not sum(weights.values()):
            return [checked(self.name, [f"/ops/routes/{self.team} tells no split"], "")]
        names = [f"{self.prefix}-{number:04d}" for number in range(self.sessions)]
        responses = await _ask_all(visit, self.team, self.prompt, names)
        broken = [problem for one in responses for problem in answer_problems(one)]
        if broken:
            return [checked(self.name, broken[:3], "")]
        counts = Counter(one.headers["X-Route-Variant"] for one in responses)
        dealt = shares(counts, weights)
        well = ", ".join(
            f"{one.variant} {one.count} (weight {one.weight:g} %, {one.least} to {one.most} are "
            "within chance)"
            for one in dealt
        )
        return [checked(self.name, split_problems(counts, dealt), well)]


class Sticky(Step, frozen=True, kw_only=True, tag="sticky"):
    """A session that comes again is answered by the same variant."""

    team: str
    prompt: str
    sessions: int = 20
    times: int = 3
    prefix: str = "sticky"

    async def run(self, visit: Visit) -> list[Finding]:
        names = [f"{self.prefix}-{number:04d}" for number in range(self.sessions)]
        responses = await _ask_all(visit, self.team, self.prompt, names * self.times)
        broken = [problem for one in responses for problem in answer_problems(one)]
        if broken:
            return [checked(self.name, broken[:3], "")]
        variants = [one.headers["X-Route-Variant"] for one in responses]
        moved = [
            name
            for number, name in enumerate(names)
            if len(set(variants[number :: self.sessions])) > 1
        ]
        problems = (
            [f"{len(moved)} of {self.sessions} sessions moved, e.g. {moved[0]}"] if moved else []
        )
        return [
            checked(self.name, problems, f"{self.sessions} sessions stayed, {self.times} times")
        ]


async def _weights(visit: Visit, team: str) -> dict[str, float]:
    """Per cent; none where the gateway tells none. Raises NotAskedError where the key may not read
    them.
    """
    headers = {"Authorization": f"Bearer {visit.stage.key}"}
    response = await visit.gateway.get(f"/ops/routes/{team}", headers=headers)
    if response.status_code in {401, 403}:
        raise NotAskedError("the key may not read the weights in force: it needs ops:read")
    told = document_of(response.raise_for_status()).get("split")
    try:
        return msgspec.convert(told, dict[str, Annotated[float, msgspec.Meta(ge=0)]])
    except msgspec.ValidationError:
        return {}


async def _ask_all(
    visit: Visit, team: str, prompt: str, sessions: list[str]
) -> list[httpx.Response]:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(session: str) -> httpx.Response:
        async with turn:
            body = chat_body(team, prompt, 8, session_id=session)
            return await visit.ask("POST", "/v1/chat/completions", team, body)

    return await asyncio.gather(*map(one, sessions))
