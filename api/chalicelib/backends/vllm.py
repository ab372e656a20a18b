"""vLLM engines over kept-alive HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.backends import Call, Reply
from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmBackend:
    """Engines by name; an engine without an address can't be connected to."""

    urls: Mapping[str, str]
    connections: Connections
    api_key: Callable[[], str | None]

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        headers = {"content-type": "application/json", **self._authorization(), **call.headers}
        reply = self.connections.request(
            "POST", self._url(place) + call.path, headers=headers, body=call.body, deadline=deadline
        )
        return Reply(status=reply.status, headers=reply.headers, body=reply.body)

    def probe(self, place: str, deadline: Deadline) -> None:
        reply = self.connections.request(
            "GET", f"{self._url(place)}/health", headers=self._authorization(), deadline=deadline
        )
        if reply.status != 200:  # noqa: PLR2004
            raise UpstreamFailure("unavailable", status=reply.status)

    def _url(self, place: str) -> str:
        try:
            return self.urls[place].rstrip("/")
        except KeyError:
            raise UpstreamFailure("connect") from None

    def _authorization(self) -> dict[str, str]:
        key = self.api_key()
        return {"authorization": f"Bearer {key}"} if key else {}
