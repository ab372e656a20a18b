"""`>=0.1,<1`: which versions of the harness may use a promptset."""

import operator
import re
from collections.abc import Callable
from typing import Final

_CLAUSE: Final = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d{1,6}(?:\.\d{1,6}){0,2})\s*")
_COMPARE: Final[dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def compatible(specification: str, version: str) -> bool:
    """Whether `version` meets every clause.

    Raises ValueError for what is no specification.
    """
    return all(
        _COMPARE[sign](_parts(version), _parts(bound)) for sign, bound in _clauses(specification)
    )


def _clauses(specification: str) -> list[tuple[str, str]]:
    found = [_CLAUSE.fullmatch(clause) for clause in specification.split(",")]
    if wrong := [c for c, m in zip(specification.split(","), found, strict=True) if not m]:
        raise ValueError(f"{wrong[0]!r} is no bound; write e.g. >=0.1,<1")
    return [(match[1], match[2]) for match in found if match]


def _parts(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))
