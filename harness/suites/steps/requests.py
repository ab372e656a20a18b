"""A step that sends the requests of a promptset: wrong, huge, many at once, slow."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import httpx
import msgspec

from harness.promptsets import store
from harness.promptsets.rows import Expected, Request, Row
from harness.suites.contract import error_problems, header_problems, status_problems
from harness.suites.step import Step, checked
from harness.suites.visit import Visit
from harness.verdict import Finding

ITEM: Final = "item:"
FILL: Final = b"{fill}"
_REFUSED: Final = 400
_SHOWN: Final = 3
Answer = httpx.Response | str
"""What came back, or what came instead."""


class Requests(Step, frozen=True, kw_only=True, tag="requests"):
    promptset: str
    team: str
    """Whose path and key the requests take."""

    async def run(self, visit: Visit) -> list[Finding]:
        rows = [row for row in store.load(self.promptset).rows if row.request is not None]
        if not rows:
            return [checked(self.name, [f"{self.promptset} has no requests"], "")]
        return [await self._sent(visit, row) for row in rows]

    async def _sent(self, visit: Visit, row: Row) -> Finding:
        request, expected = row.request, row.expect
        assert request is not None and expected is not None  # noqa: PT018, S101  # a row's rule
        async with visit.stage.client(at_once=request.times, timeout_s=request.timeout_s) as client:
            answers = await asyncio.gather(
                *(
                    send(client, request, self.team, visit.stage.authorization(self.team))
                    for _ in range(request.times)
                )
            )
        problems = problems_of(answers, expected)
        counts = Counter(one if isinstance(one, str) else str(one.status_code) for one in answers)
        well = ", ".join(
            status if count == 1 else f"{count} times {status}"
            for status, count in sorted(counts.items())
        )
        return checked(f"{row.category}: {_item(row)}", problems, well)


def _item(row: Row) -> str:
    """What a person would call the row."""
    names = [tag.removeprefix(ITEM) for tag in row.tags if tag.startswith(ITEM)]
    return names[0] if names else row.prompt_id


async def send(
    client: httpx.AsyncClient, request: Request, team: str, authorization: dict[str, str]
) -> Answer:
    """The answer, or what came instead of one."""
    body = body_of(request)
    headers = {
        "Content-Type": "application/json",
        **authorization,
        **({"Content-Length": str(len(body))} if body is not None else {}),
        **request.headers,
    }
    try:
        async with asyncio.timeout(request.timeout_s):
            return await client.request(
                request.method,
                request.path.replace("{team}", team),
                headers={name: value for name, value in headers.items() if value},
                content=None if body is None else _pieces(body, request),
            )
    except TimeoutError:
        return f"no answer within {request.timeout_s:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def body_of(request: Request) -> bytes | None:
    if request.raw is not None:
        body = request.raw.encode()
    elif request.body is not msgspec.UNSET:
        body = msgspec.json.encode(request.body)
    else:
        return None
    return body.replace(FILL, b"x" * request.fill)


async def _pieces(body: bytes, request: Request) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // request.pieces))
    for start in range(0, len(body), size):
        if start:
            await asyncio.sleep(request.pause_s)
        yield body[start : start + size]


def problems_of(answers: list[Answer], expected: Expected) -> list[str]:
    found = [problem for answer in answers for problem in _problems(answer, expected)]
    counts = Counter(str(one.status_code) for one in answers if isinstance(one, httpx.Response))
    few = [
        f"{counts[status]} times {status} instead of {least} or more"
        for status, least in expected.at_least.items()
        if counts[status] < least
    ]
    told = [f"{problem} ({times} times)" for problem, times in Counter(found).most_common(_SHOWN)]
    return [*told, *few]


def _problems(answer: Answer, expected: Expected) -> list[str]:
    if isinstance(answer, str):
        return [answer]
    problems = status_problems(answer, expected.status)
    if problems:
        return problems
    if answer.status_code >= _REFUSED:
        return error_problems(answer, expected.code, expected.param)
    return header_problems(answer)
