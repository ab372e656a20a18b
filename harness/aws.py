"""One boto3 session a process: it is slow to make, and a warm function uses it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import boto3

_making = Lock()


@contextmanager
def session() -> Iterator[boto3.Session]:
    """To make a client from. That is not safe in two threads at once; using clients is."""
    with _making:
        yield _session()


@cache
def _session() -> boto3.Session:
    return boto3.Session()
