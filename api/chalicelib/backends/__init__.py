"""How the gateway reaches a model: one narrow protocol, several ways.

A backend carries one OpenAI-shaped request to one place and brings back what came, or raises an
`UpstreamFailure`. It neither retries nor judges the answer: `dispatch` does, the same for all.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from chalicelib.connections import Reply
from chalicelib.deadline import Deadline

__all__ = ["Backend", "Call", "Reply"]


class Call(NamedTuple):
    """One request as an engine takes it."""

    path: str
    """`/v1/chat/completions` or `/v1/completions`."""
    body: bytes
    """The OpenAI request as JSON."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Trace context; never the caller's own headers."""


class Backend(Protocol):
    """A way to reach models, for example vLLM over HTTP."""

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        """Carry `call` to `place` (an engine, or an endpoint[/production variant]).

        Raises:
            UpstreamFailure: no complete reply came before `deadline`.
        """
        ...
