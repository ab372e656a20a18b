"""Promptsets in S3: `promptsets/<name>/v<N>/{prompts.jsonl, manifest.json}`.

A version never changes. The manifest is written last, so a set without one isn't there yet.
"""

import re
from typing import Final

from harness.errors import AbsentError, PromptsetError
from harness.promptsets import manifest as manifests
from harness.promptsets.folders import Files
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row, encoded
from harness.s3 import S3Store

_ADDRESS: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")


def read(where: str) -> Files:
    """The two files under `s3://bucket/…/v<N>/`.

    Raises PromptsetError where there is no promptset, StoreError where the store can't be read.
    """
    store = S3Store.of(*_parts(where))
    return Files(*(_get(store, name) for name in (manifests.FILE, manifests.ROWS)))


def push(manifest: Manifest, rows: tuple[Row, ...], where: str) -> str:
    """Write to `promptsets/<name>/v<N>/` under `s3://bucket[/prefix]`; returns the set's address.

    What is there already with the same content stays as it is. Raises PromptsetError where the
    version is there with another content, StoreError where the store can't be written.
    """
    bucket, prefix = _parts(where)
    store = S3Store.of(bucket, f"{prefix}/promptsets/{manifest.name}/v{manifest.version}")
    for name, payload in (
        (manifests.ROWS, encoded(rows)),
        (manifests.FILE, manifests.encode(manifest)),
    ):
        if not store.put_new(name, payload) and _get(store, name) != payload:
            raise PromptsetError(
                f"{store.where}/{name} is there with another content, and a version never changes;"
                " give the scenario the next version and generate it again"
            )
    return f"{store.where}/"


def _parts(where: str) -> tuple[str, str]:
    match = _ADDRESS.fullmatch(where)
    if not match:
        raise PromptsetError(f"{where!r} is no address in S3; write s3://bucket/path")
    return match["bucket"], (match["key"] or "").strip("/")


def _get(store: S3Store, name: str) -> bytes:
    try:
        return store.get(name)
    except AbsentError:
        raise PromptsetError(
            f"{store.where}/{name} is not there; push the set, or correct the address"
        ) from None
