"""A fake engine behind HTTP: its routes, what it recorded, and its connections."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, cast

from chalicelib.backends.fake import (
    Behaviour,
    BehaviourError,
    FakeAnswer,
    FakeEngine,
    changed,
)
from chalicelib.backends.fake.http import (
    CONTINUE,
    MAX_BODY_BYTES,
    Request,
    RequestReader,
    Unreadable,
    response_head,
)
from chalicelib.backends.fake.metrics import CONTENT_TYPE, Meter, Metrics
from chalicelib.backends.fake.pacing import Pacer, now
from chalicelib.backends.fake.request import ANY_MODEL
from chalicelib.backends.fake.sending import Sending
from chalicelib.backends.fake.shapes import encode, error

_RECORDED: Final = 1000
_RECORDED_BODY_BYTES: Final = 64 * 1024
_SECRETS: Final = frozenset({"authorization"})


class Service:
    """What all connections share. `behave` is called with each new behaviour."""

    def __init__(
        self, engine: FakeEngine, pacer: Pacer, behave: Callable[[Behaviour], None]
    ) -> None:
        self.engine = engine
        self.pacer = pacer
        self.metrics = Metrics()
        self.requests: deque[Request] = deque(maxlen=_RECORDED)
        self.connections: set[Connection] = set()
        self._behave = behave
        self._routes: Mapping[tuple[str, str], Callable[[Request], FakeAnswer]] = {
            ("GET", "/metrics"): self._get_metrics,
            ("GET", "/fake/requests"): self._get_requests,
            ("GET", "/fake/behaviour"): self._get_behaviour,
            ("POST", "/fake/behaviour"): self._post_behaviour,
        }

    def answer(self, request: Request) -> FakeAnswer:
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return route(request)
        self.requests.append(_recorded(request))
        return self.engine.answer(request.method, request.path, request.headers, request.body)

    def _get_metrics(self, _request: Request) -> FakeAnswer:
        served = self.engine.behaviour.models or (ANY_MODEL,)
        text = self.metrics.text(served[0])
        return FakeAnswer(headers={"content-type": CONTENT_TYPE}, body=text.encode())

    def _get_requests(self, _request: Request) -> FakeAnswer:
        return _json([_shown(request) for request in self.requests])

    def _get_behaviour(self, _request: Request) -> FakeAnswer:
        behaviour = self.engine.behaviour
        knobs = {knob.name: getattr(behaviour, knob.name) for knob in fields(Behaviour)}
        del knobs["api_key"]
        return _json(knobs | {"answer": None if callable(behaviour.answer) else behaviour.answer})

    def _post_behaviour(self, request: Request) -> FakeAnswer:
        # A web page can't send this type across origins without asking first.
        if request.headers.get("content-type") != "application/json":
            return _wrong("send the knobs as application/json")
        try:
            changes = json.loads(request.body)
            if not isinstance(changes, dict):
                return _wrong("send a JSON object of knobs")
            behaviour = changed(self.engine.behaviour, changes)
        except (ValueError, RecursionError) as problem:
            kind = isinstance(problem, BehaviourError)
            return _wrong(str(problem) if kind else "the body is not JSON")
        self._behave(behaviour)
        return self._get_behaviour(request)


def _json(body: object, status: int = 200) -> FakeAnswer:
    return FakeAnswer(status=status, body=json.dumps(body).encode())


def _wrong(message: str) -> FakeAnswer:
    return _json(error(400, message, "BadRequestError"), status=400)


def _recorded(request: Request) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        headers=request.headers,
        body=request.body[:_RECORDED_BODY_BYTES],
    )


def _shown(request: Request) -> dict[str, Any]:
    headers = {
        name: "(hidden)" if name in _SECRETS else value for name, value in request.headers.items()
    }
    body = request.body.decode("utf-8", "replace")
    return {"method": request.method, "path": request.path, "headers": headers, "body": body}


class Connection(asyncio.Protocol):
    """One peer; pipelined requests are answered in order."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = RequestReader()
        self._sending: Sending | None = None
        self._arrived = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's name)
        self._service.connections.discard(self)
        if self._sending is not None:
            self._sending.cancel()

    def pause_writing(self) -> None:
        if self._sending is not None:
            self._sending.pause()

    def resume_writing(self) -> None:
        if self._sending is not None:
            self._sending.resume()

    def data_received(self, data: bytes) -> None:
        self._arrived = now()
        self._reader.feed(data)
        if self._sending is None:
            self._advance()
        elif self._reader.waiting_bytes > MAX_BODY_BYTES:
            self.transport.abort()

    def _advance(self) -> None:
        while self._sending is None and not self.transport.is_closing():
            try:
                request = self._reader.take()
            except Unreadable as problem:
                self._give_up(problem)
                return
            if request is None:
                if self._reader.wants_continue():
                    self.transport.write(CONTINUE)
                return
            self._send(request)

    def _send(self, request: Request) -> None:
        service = self._service
        trickle_interval_s = service.engine.behaviour.trickle_interval_s
        answer = service.answer(request)
        self._sending = Sending(
            self.transport,
            answer,
            pacer=service.pacer,
            meter=Meter(service.metrics, answer, self._arrived),
            arrived=self._arrived,
            done=self._free,
        )
        self._is_starting = True
        self._sending.start(keep_alive=request.keep_alive, trickle_interval_s=trickle_interval_s)
        self._is_starting = False

    def _free(self) -> None:
        self._sending = None
        if not self._is_starting:  # else the loop in `_advance` goes on by itself
            self._advance()

    def _give_up(self, problem: Unreadable) -> None:
        body = encode(error(problem.status, problem.message, "Bad Request")).encode()
        headers = {"content-type": "application/json"}
        head = response_head(problem.status, headers, length=len(body), keep_alive=False)
        self.transport.write(head + body)
        self.transport.close()
