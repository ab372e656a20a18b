"""Requests that no HTTP library would send."""

import io
import socket
from contextlib import closing
from http.client import HTTPResponse
from urllib.parse import urlsplit

import httpx


class _Received:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def exchange(url: str, request: bytes) -> httpx.Response:
    """What the server answers to exactly these bytes, read until it hangs up."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    received = b""
    with closing(socket.create_connection(address, timeout=30)) as connection:
        connection.sendall(request)
        while piece := connection.recv(65_536):
            received += piece
    response = HTTPResponse(_Received(received))  # type: ignore[arg-type]
    response.begin()
    return httpx.Response(response.status, headers=response.getheaders(), content=response.read())


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request; each header is a whole line, sent as it is."""
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
