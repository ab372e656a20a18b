"""vLLM engines over kept-alive HTTP."""

from collections.abc import Callable, Mapping

from chalicelib.backends import Call, Reply
from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure


class VllmBackend:
    """Engines by name; an engine without an address can't be connected to."""

    def __init__(
        self,
        *,
        urls: Mapping[str, str],
        connections: Connections,
        api_key: Callable[[str, Deadline], str | None],
    ) -> None:
        """`api_key` gives an engine's own, or None for one that asks for none."""
        self._urls = urls
        self._connections = connections
        self._api_key = api_key

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        headers = {
            "content-type": "application/json",
            **self._authorization(place, deadline),
            **call.headers,
        }
        return self._connections.request(
            "POST", self._url(place) + call.path, headers=headers, body=call.body, deadline=deadline
        )

    def _url(self, place: str) -> str:
        try:
            return self._urls[place].rstrip("/")
        except KeyError:
            raise UpstreamFailure("connect") from None

    def _authorization(self, place: str, deadline: Deadline) -> dict[str, str]:
        key = self._api_key(place, deadline)
        return {"authorization": f"Bearer {key}"} if key else {}
