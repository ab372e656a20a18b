"""How the gateway reaches a model: one narrow protocol, several ways.

A backend carries one OpenAI-shaped request to one place and brings back what came, or raises an
`UpstreamFailure`. It neither retries nor judges the answer: `dispatch` does, the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.deadline import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as an engine takes it."""

    path: str
    """`/v1/chat/completions` or `/v1/completions`."""
    body: bytes
    """The OpenAI request as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Trace context; never the caller's own headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a place answered, unjudged."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Backend(Protocol):
    """A way to reach models, for example vLLM over HTTP."""

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        """Carry `call` to `place` (an engine, or an endpoint[/production variant]).

        Raises:
            UpstreamFailure: no complete reply came before `deadline`.
        """
        ...

    def probe(self, place: str, deadline: Deadline) -> None:
        """Return when `place` can answer.

        Raises:
            UpstreamFailure: it cannot.
        """
        ...
