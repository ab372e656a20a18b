"""Progress as lines: what happened, and after how long."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Progress:
    out: TextIO = field(default_factory=lambda: sys.stdout)
    began: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        self.out.write(f"{time.monotonic() - self.began:4.0f} s  {text}\n")
        self.out.flush()
