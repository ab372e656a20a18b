"""TCP connections that are open by a deadline.

A name look-up has no timeout at all: it is waited for no longer than the deadline either.
"""

import socket
import threading

from chalicelib.deadline import Deadline


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connected socket.

    Raises:
        OSError: nobody could be connected to in time.
        UnicodeError: the host's name is none.
    """
    failure: OSError = OSError(f"no address for {host}")
    for family, kind, protocol, address in _addresses(host, port, deadline):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.remaining or 0.001)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, tuple[str, int]]


def _addresses(host: str, port: int, deadline: Deadline) -> list[_Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, UnicodeError):
            continue
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port))]
    return _look_up(host, port, deadline)


def _look_up(host: str, port: int, deadline: Deadline) -> list[_Address]:
    """Resolve a name in a thread of its own, because `getaddrinfo` can't be given a timeout."""
    outcome: list[_Address] = []
    problems: list[Exception] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome.extend((f, k, p, a[:2]) for f, k, p, _, a in found)  # type: ignore[misc]
        except (OSError, UnicodeError) as error:
            problems.append(error)

    thread = threading.Thread(target=ask, name="name look-up", daemon=True)
    thread.start()
    thread.join(deadline.remaining)
    if problems:
        raise problems[0]
    if not outcome:
        raise TimeoutError(f"no address for {host} in time")
    return outcome
