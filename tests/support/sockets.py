"""Servers below HTTP: each connection is handed to a function, byte for byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

LOOPBACK = "127.0.0.1"
Script = Callable[[socket.socket, int], None]
"""Gets a connection and its number, counted from 0; the connection closes when it returns."""


def receive_request(connection: socket.socket) -> bytes:
    """One request with its `Content-Length` body, or what came before the peer hung up."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length and (piece := connection.recv(65_536)):
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def listening(script: Script) -> Iterator[str]:
    """The address of a server whose connections follow `script`."""
    listener = socket.create_server((LOOPBACK, 0))
    threads: list[threading.Thread] = []

    def follow(connection: socket.socket, number: int) -> None:
        with closing(connection), suppress(OSError):
            script(connection, number)

    def accept() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=follow, args=(connection, number), daemon=True)
                thread.start()
                threads.append(thread)
                number += 1

    acceptor = threading.Thread(target=accept, name="acceptor")
    acceptor.start()
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    with closing(socket.create_server((LOOPBACK, 0))) as listener:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """An address that nobody listens on, and nobody else can take meanwhile."""
    with closing(socket.socket()) as held:
        held.bind((LOOPBACK, 0))
        yield f"http://{LOOPBACK}:{held.getsockname()[1]}"
