"""The harness' own version: in every plan, and what promptsets say they are compatible with."""

from typing import Final

VERSION: Final = "0.1.0"
