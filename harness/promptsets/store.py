"""Promptsets by name, folder or S3 address, verified before anybody uses them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import PromptsetError
from harness.plan import PromptsetRef
from harness.promptsets import folders
from harness.promptsets import manifest as manifests
from harness.promptsets import rows as row_codec
from harness.promptsets.compatibility import compatible
from harness.promptsets.folders import Files
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row
from harness.version import VERSION

SHIPPED: Final = Path(__file__).parent
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
S3: Final = "s3://"
_REGENERATE: Final = "generate it again (`promptset generate`) or take back the change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promptset:
    manifest: Manifest
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return self.manifest.name

    def ref(
        self,
        split: str = "",
        categories: tuple[str, ...] = (),
        buckets: tuple[str, ...] = (),
    ) -> PromptsetRef:
        """What a plan says of this set. Raises PromptsetError where it selects nothing."""
        ref = PromptsetRef(
            name=self.manifest.name,
            version=self.manifest.version,
            sha256=self.manifest.sha256,
            split=split,
            categories=categories,
            buckets=buckets,
        )
        self.select(ref)
        return ref

    def select(self, ref: PromptsetRef) -> tuple[Row, ...]:
        """The rows that a plan's reference means.

        Raises PromptsetError: another set, version or content; a label no row has; no row left.
        """
        own = self.manifest
        if (ref.name, ref.version, ref.sha256) != (own.name, own.version, own.sha256):
            raise PromptsetError(
                f"promptset {own.name}: the plan was made with {ref.name} version {ref.version}"
                f" ({ref.sha256[:12]}), this is version {own.version} ({own.sha256[:12]});"
                " load the plan's own or make a new plan"
            )
        self._known("split", (ref.split,) if ref.split else (), own.splits)
        self._known("category", ref.categories, own.categories)
        self._known("bucket", ref.buckets, own.buckets)
        chosen = tuple(
            row
            for row in self.rows
            if ref.split in {"", row.split}
            and (not ref.categories or row.category in ref.categories)
            and (not ref.buckets or row.bucket in ref.buckets)
        )
        if not chosen:
            raise PromptsetError(f"promptset {own.name}: no row is in all that was asked for")
        return chosen

    def _known(self, what: str, asked: tuple[str, ...], known: dict[str, int]) -> None:
        if unknown := [label for label in asked if label not in known]:
            raise PromptsetError(
                f"promptset {self.name}: no row has the {what} {unknown[0]!r};"
                f" there are {', '.join(known)}"
            )


def shipped() -> tuple[str, ...]:
    """The names of the sets that come with the harness."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{manifests.FILE}")))


def load(where: str, version: int | None = None) -> Promptset:
    """A shipped set's name, a folder, or `s3://bucket/…/v<N>/`.

    Raises:
        PromptsetError: there is none, it isn't of `version`, or it isn't what its manifest says.
        StoreError: it can't be read.
    """
    if where.startswith(S3):
        from harness.promptsets import s3  # noqa: PLC0415  (boto3 takes a quarter of a second)

        files, shown = s3.read(where), where.rstrip("/")
    else:
        folder = folder_of(where)
        files, shown = folders.read(folder), str(folder)
    promptset = verified(files, shown)
    if version not in {None, promptset.manifest.version}:
        raise PromptsetError(
            f"{shown}/{manifests.FILE}: version {version} is expected,"
            f" found {promptset.manifest.version}"
        )
    return promptset


def folder_of(where: str) -> Path:
    if "/" in where or "\\" in where or where in {"", ".", ".."}:
        return Path(where)
    if not NAME.fullmatch(where) or where not in shipped():
        raise PromptsetError(
            f"there is no promptset {where!r}; known are {', '.join(shipped())}."
            " A folder is written with a slash: ./mine"
        )
    return SHIPPED / where


def verified(files: Files, shown: str) -> Promptset:
    """Raises PromptsetError, naming the file, what was expected and what was found."""
    manifest = read_manifest(files.manifest, f"{shown}/{manifests.FILE}")
    name = f"{shown}/{manifests.ROWS}"
    found = manifests.digest(files.rows)
    if found != manifest.sha256:
        raise PromptsetError(
            f"{name}: sha256 {manifest.sha256} is expected, found {found}; {_REGENERATE}"
        )
    rows = read_rows(files.rows, name)
    if len(rows) != manifest.count:
        raise PromptsetError(f"{name}: {manifest.count} rows are expected, found {len(rows)}")
    return Promptset(manifest=manifest, rows=rows)


def read_manifest(payload: bytes, name: str) -> Manifest:
    try:
        manifest = manifests.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PromptsetError(f"{name}: {error}") from None
    if not compatible(manifest.harness, VERSION):
        raise PromptsetError(
            f"{name}: a harness {manifest.harness} is expected, this is {VERSION};"
            " update the harness or take another version of the set"
        )
    return manifest


def read_rows(payload: bytes, name: str) -> tuple[Row, ...]:
    return tuple(
        read_row(line, f"{name}:{number}")
        for number, line in enumerate(payload.splitlines(), start=1)
        if line.strip()
    )


def read_row(line: bytes, name: str) -> Row:
    try:
        return row_codec.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PromptsetError(f"{name}: {error}") from None
