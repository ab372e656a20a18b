"""Where the parts of the repository are, and where a running stack keeps its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    root: Path
    build: Path

    @classmethod
    def of_repository(cls, build: Path | None = None) -> Self:
        root = Path(__file__).parents[2]
        return cls(root=root, build=(build or root / "build").absolute())

    @property
    def state(self) -> Path:
        """What others read of a running stack."""
        return self.build / "local.json"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor that runs, and tells which process that is."""
        return self.build / "local.lock"

    @property
    def engines_state(self) -> Path:
        return self.build / "engines.json"

    @property
    def logs(self) -> Path:
        return self.build / "logs"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def shown(self, path: Path) -> str:
        """A path as a person at the repository's root would type it."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path)
