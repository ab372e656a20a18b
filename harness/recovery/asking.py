"""The requests of a recovery report: to the gateway or to an engine, both speak OpenAI's contract.

Texts are scored by token ids over `/v1/completions`, so that both models see exactly the tokens
that the reference made: rendered through a chat template again, they may be others.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from harness.load import failures
from harness.promptsets.rows import Row
from harness.recovery.observations import Footprint, Generated, Position, Scored
from harness.recovery.plan import Side

NO_TOKEN_IDS: Final = "no token ids"  # noqa: S105  # no password
NO_LOGPROBS: Final = "no prompt_logprobs"
CHAT: Final = "/v1/chat/completions"
COMPLETIONS: Final = "/v1/completions"
_GREEDY: Final = {"temperature": 0, "seed": 0}
_KV_CACHE: Final = "kv_cache_memory_bytes"


class Unanswered(Exception):  # noqa: N818  # said of the request
    """Why there is no proper answer, in a few words that can be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    http: httpx.AsyncClient
    arm: str
    side: Side
    top: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    async def generate(self, row: Row) -> Generated:
        body = {
            **self._chat(row),
            "max_tokens": row.max_tokens,
            "return_token_ids": True,
        }
        try:
            answer = await self._post(CHAT, body)
            choice = _choice(answer.document)
            return Generated(
                arm=self.arm,
                prompt_id=row.prompt_id,
                output=choice["message"]["content"] or "",
                prompt_ids=tuple(answer.document["prompt_token_ids"] or ()),
                token_ids=tuple(choice["token_ids"] or ()),
                finish_reason=choice["finish_reason"],
                variant=answer.variant,
                target=answer.target,
            )
        except Unanswered as error:
            return Generated(arm=self.arm, prompt_id=row.prompt_id, error=str(error))
        except (KeyError, TypeError, AttributeError):
            return Generated(arm=self.arm, prompt_id=row.prompt_id, error=NO_TOKEN_IDS)

    async def score(self, prompt_id: str, prompt: Sequence[int], given: Sequence[int]) -> Scored:
        """What the model expects at each token of `given` after `prompt`."""
        body = {
            "model": self.side.model,
            "prompt": [*prompt, *given],
            "max_tokens": 1,
            "prompt_logprobs": self.top,
            **_GREEDY,
        }
        try:
            answer = await self._post(COMPLETIONS, body)
            told = _choice(answer.document)["prompt_logprobs"]
            return Scored(
                arm=self.arm,
                prompt_id=prompt_id,
                positions=_positions(told, len(prompt), len(given)),
                variant=answer.variant,
                target=answer.target,
            )
        except Unanswered as error:
            return Scored(arm=self.arm, prompt_id=prompt_id, error=str(error))
        except (KeyError, TypeError, ValueError, AttributeError):
            return Scored(arm=self.arm, prompt_id=prompt_id, error=NO_LOGPROBS)

    async def time(self, row: Row, tokens: int) -> tuple[int, int]:
        """How long a whole answer of so many tokens takes, ns; and how many it had.

        Raises Unanswered.
        """
        body = {
            **self._chat(row),
            "max_tokens": tokens,
            "min_tokens": tokens,
            "ignore_eos": True,
        }
        began = time.perf_counter_ns()
        answer = await self._post(CHAT, body)
        took = time.perf_counter_ns() - began
        try:
            return took, int(answer.document["usage"]["completion_tokens"])
        except (KeyError, TypeError, ValueError):
            raise Unanswered(failures.GARBAGE) from None

    async def footprint(self) -> Footprint:
        """Nothing where the engine can't be asked: through a gateway its metrics aren't seen."""
        if self.side.metrics_url is None:
            return Footprint(arm=self.arm, error="not told")
        try:
            response = await self.http.get(f"{self.side.metrics_url}/metrics")
            response.raise_for_status()
        except httpx.HTTPError as error:
            return Footprint(arm=self.arm, error=_failure(error))
        return Footprint(
            arm=self.arm,
            kv_cache_bytes=_label(response.text, "vllm:cache_config_info", _KV_CACHE),
            server_bytes=_sample(response.text, "process_resident_memory_bytes"),
        )

    def _chat(self, row: Row) -> dict[str, Any]:
        messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
        return {"model": self.side.model, "messages": messages, **_GREEDY}

    async def _post(self, path: str, body: dict[str, Any]) -> "_Answer":
        try:
            response = await self.http.post(self.side.url + path, json=body, headers=self.headers)
        except httpx.HTTPError as error:
            raise Unanswered(_failure(error)) from None
        if failure := failures.of_status(response.status_code):
            raise Unanswered(failure)
        try:  # strictly: what is no number, or no text, couldn't be kept either
            document = msgspec.json.decode(response.content)
        except ValueError:
            raise Unanswered(failures.GARBAGE) from None
        if not isinstance(document, dict):
            raise Unanswered(failures.GARBAGE)
        headers = response.headers
        return _Answer(
            document=document,
            variant=headers.get("x-route-variant", ""),
            target=headers.get("x-route-target", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    document: dict[str, Any]
    variant: str
    target: str


def _choice(document: dict[str, Any]) -> dict[str, Any]:
    """Raises Unanswered where the answer was cut off or is none."""
    try:
        choice: dict[str, Any] = document["choices"][0]
        reason = choice["finish_reason"]
    except (KeyError, IndexError, TypeError):
        raise Unanswered(failures.GARBAGE) from None
    if failure := failures.of_ending(str(reason)):
        raise Unanswered(failure)
    return choice


def _positions(told: Sequence[dict[str, Any]], before: int, of: int) -> tuple[Position, ...]:
    """Raises ValueError where they are not one for each token."""
    if len(told) != before + of:
        raise ValueError(f"{len(told)} positions, expected {before + of}")
    return tuple(map(_position, told[before:]))


def _position(told: dict[str, dict[str, Any]]) -> Position:
    return Position(
        ids=tuple(map(int, told)),
        logprobs=tuple(float(one["logprob"]) for one in told.values()),
        ranks=tuple(int(one["rank"]) for one in told.values()),
    )


def _failure(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return failures.TIMEOUT
    if isinstance(error, httpx.HTTPStatusError):
        return failures.of_status(error.response.status_code)
    return failures.CONNECT if isinstance(error, httpx.ConnectError) else failures.RESET


def _sample(metrics: str, name: str) -> int | None:
    values = [line.split()[-1] for line in metrics.splitlines() if line.startswith(f"{name} ")]
    return int(float(values[0])) if values else None


def _label(metrics: str, name: str, label: str) -> int | None:
    for line in metrics.splitlines():
        if line.startswith(f"{name}{{") and f'{label}="' in line:
            value = line.split(f'{label}="', 1)[1].split('"', 1)[0]
            return int(value) if value.isdigit() else None
    return None
