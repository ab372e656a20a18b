"""Where an arm's requests go: resolved once, so that no request waits for a name server."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    """The `Host` header."""
    name: str
    """Whom the certificate must name."""
    places: tuple[tuple[str, int], ...]
    """Numeric, IPv6 or IPv4, in the resolver's order; none where the name is not known."""
    tls: ssl.SSLContext | None


async def resolve(url: str) -> Address:
    """Never raises: a name that is not known fails every request, as any other outage."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    return Address(
        host=parts.netloc.rpartition("@")[2],
        name=name,
        places=tuple(dict.fromkeys((str(entry[4][0]), port) for entry in found)),
        tls=ssl.create_default_context() if parts.scheme == "https" else None,
    )
