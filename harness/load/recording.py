"""From an exchange that is over to its record."""

from itertools import pairwise
from typing import Final

from harness.load import failures
from harness.load.answers import Answer
from harness.load.apis import APIS
from harness.load.exchange import Exchange
from harness.load.response import Response
from harness.records import Record

_UNDECIDED: Final = "none"
"""The gateway's word where a request ended before it was routed."""


def record_of(exchange: Exchange, origin_ns: int, correlation_id: str) -> Record:
    """`origin_ns` is where the run's own time begins."""
    item, response = exchange.item, exchange.response
    answer = _answer(exchange)
    headers = {} if response is None else response.headers
    sent_ns = exchange.sent_ns or exchange.ended_ns
    stamps = answer.stamps
    return Record(
        index=item.index,
        arm=item.arm.name,
        prompt_id=item.row.prompt_id,
        planned_ns=exchange.planned_ns - origin_ns,
        sent_ns=sent_ns - origin_ns,
        first_ns=stamps[0] - origin_ns if stamps else None,
        end_ns=exchange.ended_ns - origin_ns,
        gaps_us=tuple([(later - earlier + 500) // 1000 for earlier, later in pairwise(stamps)]),
        status=0 if response is None else response.status,
        error=answer.error,
        finish_reason=answer.finish_reason,
        output=answer.output,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cached_tokens=answer.cached_tokens,
        model=answer.model,
        variant=_route(headers, b"x-route-variant"),
        target=_route(headers, b"x-route-target"),
        correlation_id=_header(headers, b"x-correlation-id") or correlation_id,
    )


def _answer(exchange: Exchange) -> Answer:
    response = exchange.response
    if exchange.error or response is None:
        return Answer(error=exchange.error)
    error = failures.of_status(response.status)
    return Answer(error=error) if error else _parsed(exchange, response)


def _parsed(exchange: Exchange, response: Response) -> Answer:
    """An arm that streams may still be answered whole: with an error, say, under a 200."""
    api = APIS[exchange.item.arm.api]
    if api.streamed is not None and exchange.item.arm.stream:
        return api.streamed(response.stamps, response.pieces)
    return api.whole(response.body)


def _route(headers: dict[bytes, bytes], name: bytes) -> str:
    said = _header(headers, name)
    return "" if said == _UNDECIDED else said


def _header(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers[name].decode("latin-1") if name in headers else ""
