"""Questions sent through the gateway, and what came back."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from harness.demo.questions import Question
from harness.local.gateway_client import authorization, client
from harness.local.state import StackState

AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    question: Question
    correlation_id: str
    """As it was sent."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    document: Mapping[str, Any]

    @property
    def answer(self) -> str:
        """The text, of whichever contract."""
        match self.document:
            case {"output": str(text)} | {"choices": [{"message": {"content": str(text)}}, *_]}:
                return text
            case {"passed": bool(passed)}:
                return "passed" if passed else "not passed"
        return ""

    @property
    def tokens(self) -> int | None:
        """None where the answer doesn't tell."""
        usage = self.document.get("usage")
        return int(usage["total_tokens"]) if isinstance(usage, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Asks with the keys of a stack."""

    gateway: httpx.AsyncClient
    state: StackState

    async def ask(self, question: Question, correlation_id: str) -> Exchange:
        answer = await self.gateway.post(
            question.path,
            json=dict(question.body),
            headers={
                **authorization(self.state.keys[question.key]),
                "X-Correlation-ID": correlation_id,
            },
        )
        try:
            document = answer.json()
        except ValueError:
            document = {}
        return Exchange(
            question=question,
            correlation_id=correlation_id,
            status=answer.status_code,
            headers=dict(answer.headers),
            document=document if isinstance(document, dict) else {},
        )

    async def ask_all(self, questions: Iterable[tuple[Question, str]]) -> AsyncIterator[Exchange]:
        """A few at a time, in the order in which the answers come."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(question: Question, correlation_id: str) -> Exchange:
            async with turn:
                return await self.ask(question, correlation_id)

        tasks = [asyncio.ensure_future(one(*pair)) for pair in questions]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            for task in tasks:
                task.cancel()

    async def weights(self, team: str) -> dict[str, float]:
        """The split in force, in per cent."""
        answer = await self.gateway.get(
            f"/ops/routes/{team}", headers=authorization(self.state.admin_key)
        )
        return dict(answer.raise_for_status().json()["split"])


def caller(state: StackState) -> Caller:
    return Caller(gateway=client(state.gateway_url), state=state)
