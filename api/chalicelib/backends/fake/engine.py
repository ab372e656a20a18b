"""Every answer of a fake engine, as a pure function of its behaviour and the request.

Tokens are toy tokens (`fake_text.tokenize`); a text that ends by itself costs one more, as an
engine's end-of-sequence token does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from chalicelib.backends.fake.behaviour import WIRE_FAULTS, Answer, Behaviour, Fault
from chalicelib.backends.fake.chance import chance, roll
from chalicelib.backends.fake.fields import Refusal
from chalicelib.backends.fake.request import ANY_MODEL, Ask, read
from chalicelib.backends.fake.schema import json_text
from chalicelib.backends.fake.shapes import Completion, encode, error, models, whole
from chalicelib.backends.fake.stream import DONE, event, events
from chalicelib.backends.fake.text import Generation, Limits, generate, words

JSON: Final[Mapping[str, str]] = {"content-type": "application/json"}
_EVENTS: Final[Mapping[str, str]] = {"content-type": "text/event-stream; charset=utf-8"}
_METHODS: Final[Mapping[str, Sequence[str]]] = {
    "/v1/chat/completions": ("POST",),
    "/v1/completions": ("POST",),
    "/invocations": ("POST",),
    "/v1/models": ("GET",),
    "/version": ("GET",),
    "/health": ("GET",),
    "/ping": ("GET", "POST"),
}
GENERATING: Final = frozenset({"/v1/chat/completions", "/v1/completions", "/invocations"})
_HEALTH: Final = frozenset({"/health", "/ping"})
_DIED: Final = error(500, "EngineCore encountered an issue.", "InternalServerError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A streamed body: one item an engine step."""

    events: Iterator[bytes]
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeAnswer:
    """What to send, when, and how it goes wrong."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    body: bytes = b""
    """Empty where there is a `stream`."""
    first_s: float = 0.0
    """From the request's last byte to the answer's first token."""
    gap_s: float = 0.0
    """From each token to the next; an answer that is not streamed waits for all of them."""
    wire: Fault = "none"
    """Of `WIRE_FAULTS`; the other faults are in the body already."""
    stream: Stream | None = None
    completion: Completion | None = None

    @property
    def whole_s(self) -> float:
        """From the request's last byte to the last token."""
        if self.stream is not None:
            steps = self.stream.steps
        else:
            steps = 1 if self.completion is None else self.completion.steps
        return self.first_s + self.gap_s * (steps - 1)

    def content(self) -> bytes:
        """The whole body, streamed or not; a stream can be read only once."""
        return self.body if self.stream is None else b"".join(self.stream.events)


def suffers(behaviour: Behaviour, path: str) -> bool:
    """Whether the behaviour's fault can hit a request to `path`."""
    return path in GENERATING or (behaviour.faults_health and path in _HEALTH)


def respond(
    behaviour: Behaviour,
    path: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    headers: Mapping[str, str] = JSON,
    ordinal: int = 0,
    created: int = 0,
) -> FakeAnswer:
    """Answer one request.

    Header names are in lower case; `ordinal` is the request's number among those that a fault
    can hit, `created` the answer's Unix time.
    """
    is_hit = suffers(behaviour, path) or behaviour.fault == "refuse"
    fault = behaviour.fault_of(ordinal) if is_hit else "none"
    if (refused := _at_the_door(behaviour, path, method, headers)) is not None:
        answer = refused
    elif fault in _FIXED:
        answer = replace(_FIXED[fault](behaviour), first_s=behaviour.latency_s)
    elif path in GENERATING:
        answer = _generated(behaviour, path, body, fault, (ordinal, created))
    else:
        answer = _PLAIN[path](behaviour, created)
    return replace(answer, wire=fault) if fault in WIRE_FAULTS else answer


def _at_the_door(
    behaviour: Behaviour, path: str, method: str, headers: Mapping[str, str]
) -> FakeAnswer | None:
    methods = _METHODS.get(path)
    if path.startswith("/v1") and not _is_authorised(behaviour, headers):
        return _json({"error": "Unauthorized"}, status=401)
    if methods is None:
        return _json({"detail": "Not Found"}, status=404)
    if method not in methods:
        allow = {**JSON, "allow": ", ".join(methods)}
        return replace(_json({"detail": "Method Not Allowed"}, status=405), headers=allow)
    if path in GENERATING and "application/json" not in headers.get("content-type", ""):
        message = (
            "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"
        )
        return _json(error(400, message, "Bad Request"), status=400)
    return None


def _is_authorised(behaviour: Behaviour, headers: Mapping[str, str]) -> bool:
    key = behaviour.api_key
    return key is None or headers.get("authorization") == f"Bearer {key}"


def _json(body: Mapping[str, Any], status: int = 200) -> FakeAnswer:
    return FakeAnswer(status=status, body=encode(body).encode())


def _status(behaviour: Behaviour) -> FakeAnswer:
    message = "The engine is overloaded." if behaviour.status == 429 else "The engine failed."  # noqa: PLR2004
    kind = "RateLimitError" if behaviour.status == 429 else "InternalServerError"  # noqa: PLR2004
    answer = _json(error(behaviour.status, message, kind), status=behaviour.status)
    if behaviour.retry_after_s is None:
        return answer
    return replace(answer, headers={**JSON, "retry-after": f"{behaviour.retry_after_s}"})


_FIXED: Final[Mapping[Fault, Callable[[Behaviour], FakeAnswer]]] = {
    "status": _status,
    "garbage": lambda _: FakeAnswer(
        headers={"content-type": "text/html"}, body=b"<html><body>It works!</body></html>"
    ),
}
_PLAIN: Final[Mapping[str, Callable[[Behaviour, int], FakeAnswer]]] = {
    "/health": lambda _behaviour, _created: FakeAnswer(headers={}),
    "/ping": lambda _behaviour, _created: FakeAnswer(headers={}),
    "/version": lambda _behaviour, _created: _json({"version": "0.32.0"}),
    "/v1/models": lambda behaviour, created: _json(
        models(behaviour.models or (ANY_MODEL,), created, behaviour.max_model_len)
    ),
}


def _generated(
    behaviour: Behaviour, path: str, body: bytes, fault: Fault, stamp: tuple[int, int]
) -> FakeAnswer:
    ordinal, created = stamp
    try:
        ask = read(body, behaviour, path)
    except Refusal as refusal:
        reason = error(refusal.status, refusal.message, refusal.kind, refusal.param)
        return _json(reason, status=refusal.status)
    generations = [
        generate(_text(behaviour.answer, ask, prompt.text, index), ask.limits)
        for prompt in ask.prompts
        for index in range(ask.n)
    ]
    completion = Completion(
        ident=roll(behaviour.seed, ordinal, created, len(body)).hex()[:16],
        created=created,
        model="another-model" if fault == "wrong_model" else ask.model,
        ask=ask,
        generations=_SPOILT.get(fault, list)(generations),
    )
    if ask.stream:
        answer = FakeAnswer(headers=_EVENTS, stream=_stream(completion, fault))
    else:
        answer = _json(_DIED if fault == "error_body" else whole(completion))
    return replace(
        answer,
        first_s=behaviour.latency_s + behaviour.time_to_first_token_s,
        gap_s=behaviour.inter_token_latency_s,
        completion=completion,
    )


def _stream(completion: Completion, fault: Fault) -> Stream:
    flow, steps = events(completion), completion.steps
    if fault == "error_body":
        steps = steps // 2 + 1
        flow = _dying(flow, steps)
    return Stream(events=flow, steps=steps)


def _dying(flow: Iterator[bytes], steps: int) -> Iterator[bytes]:
    yield from islice(flow, steps - 1)
    yield event(_DIED) + DONE


def _text(answer: Answer, ask: Ask, prompt: str, index: int) -> str:
    if isinstance(answer, str):
        return answer
    if answer is not None:
        return answer(prompt)
    if ask.choices:
        return ask.choices[int(chance("choice", prompt, index) * len(ask.choices))]
    if ask.schema is not None:
        return json_text(ask.schema, f"{prompt}\x1f{index}")
    return words(prompt, index)


def _aborted(generations: Sequence[Generation]) -> list[Generation]:
    halves = [(generation, max(1, len(generation.tokens) // 2)) for generation in generations]
    return [
        Generation(
            tokens=generation.tokens[:half],
            pieces=generation.pieces[:half],
            finish_reason="abort",
        )
        for generation, half in halves
    ]


def _failed(generations: Sequence[Generation]) -> list[Generation]:
    return [replace(generation, finish_reason="error") for generation in generations]


def _silent(generations: Sequence[Generation]) -> list[Generation]:
    nothing = generate("", Limits(max_tokens=1))
    return [nothing] * len(generations)


_SPOILT: Final[Mapping[Fault, Callable[[Sequence[Generation]], Sequence[Generation]]]] = {
    "abort": _aborted,
    "error_body": _failed,
    "empty_text": _silent,
    "no_choices": lambda _: (),
}
