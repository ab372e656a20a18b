"""Small promptsets to take apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import Numeric
from harness.promptsets import folders, manifest
from harness.promptsets.manifest import Generator, Manifest, TokenStatistics
from harness.promptsets.rows import Row

Make = Callable[..., Path]


def sums() -> tuple[Row, ...]:
    return tuple(
        Row(
            prompt_id=f"sum-{n}",
            prompt=f"What is {n}+{n}?",
            max_tokens=8,
            category="even" if n % 2 == 0 else "odd",
            bucket="short" if n < 3 else "long",
            checks=(Numeric(value=2 * n),),
            reference=str(2 * n),
        )
        for n in (1, 2, 3)
    )


def described(rows: tuple[Row, ...], name: str = "sums", version: int = 1) -> Manifest:
    return manifest.describe(
        rows,
        name=name,
        version=version,
        description="Doubles.",
        seed=1,
        generator=Generator(name="by hand"),
        tokens=TokenStatistics(
            tokenizer="words",
            tokenizer_sha256="0" * 64,
            min=3,
            p50=3,
            p95=3,
            max=3,
            total=9,
            max_with_answer=11,
        ),
        context=64,
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes rows as a promptset and returns its folder."""

    def made(rows: tuple[Row, ...] | None = None, name: str = "sums", version: int = 1) -> Path:
        kept = sums() if rows is None else rows
        folders.write(described(kept, name, version), kept, tmp_path / name)
        return tmp_path / name

    return made
