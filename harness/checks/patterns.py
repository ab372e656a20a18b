r"""Regular expressions that can't hang.

Python's engine backtracks, and nothing can interrupt it. So a pattern is bounded before it is used:
from its parse tree follows in how many ways it can match one piece of text, and how many characters
are compared on the way; these, times the places where a match may begin, are the most that a search
can try. A pattern beyond MOST_STEPS or MOST_COMPARED is refused, with LONGEST characters of the
answer looked at. `(a+)+`, `.*x.*` and `.{0,69}.{0,69}b{900}` are refused, `\d{4}-\d{2}` and
`^[a-z ]{1,80}$` are not.
"""

import re
from collections.abc import Iterable
from itertools import accumulate, repeat
from re import _constants as constants  # type: ignore[attr-defined]  # the parse tree's only home
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, NamedTuple

LONGEST: Final = 2_000
MOST_STEPS: Final = 10_000_000
MOST_COMPARED: Final = 100_000_000
"""Characters: a fraction of a second."""
_FLAGS: Final = re.IGNORECASE
_REPEATS: Final = frozenset({constants.MAX_REPEAT, constants.MIN_REPEAT})
_MOST_REPEATS: Final = 64
"""Of what can match in several ways: the ways grow with the power of it."""


def bounded(pattern: str) -> re.Pattern[str]:
    """`pattern`, ready for text of at most LONGEST characters; case is ignored.

    Raises ValueError: it is no pattern, or a search with it could take too long.
    """
    try:
        tree = parser.parse(pattern, _FLAGS)
        compiled = re.compile(pattern, _FLAGS)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"regex: {pattern!r} is no pattern: {error}") from None
    effort = _effort(tree)
    if LONGEST * effort.ways > MOST_STEPS or LONGEST * effort.compared > MOST_COMPARED:
        raise ValueError(
            f"regex: {pattern!r} could try too many ways on a long answer; use {{m,n}} with small "
            "numbers in place of * and +, and fewer of them"
        )
    return compiled


class _Effort(NamedTuple):
    """Of a part that is tried at one place, at most; numbers beyond the limits are cut there."""

    ways: int = 1
    """In how many it can match."""
    compared: int = 1
    """Characters, until all of them have been tried."""


def _effort(tree: Iterable[tuple[Any, Any]]) -> _Effort:
    """Of a sequence: every way of a part is followed by all that comes after it."""
    ways, compared = 1, 0
    for code, argument in tree:
        part = _effort_of(code, argument)
        compared += ways * part.compared
        ways *= part.ways
        if ways > MOST_STEPS:
            break
    return _Effort(ways, compared)


def _effort_of(code: object, argument: Any) -> _Effort:  # noqa: ANN401
    if code in _REPEATS or code is constants.POSSESSIVE_REPEAT:
        least, most, part = argument
        found = _repeated(_effort(part), least, min(most, max(least, LONGEST)))
        kept = code in _REPEATS
        return found if kept else _Effort(found.ways * LONGEST, found.compared)
    if code is constants.BRANCH:
        return _any_of(argument[1])
    if code is constants.GROUPREF_EXISTS:
        return _any_of([part for part in argument[1:] if part is not None])
    if code in {constants.SUBPATTERN, constants.ASSERT, constants.ASSERT_NOT}:
        return _effort(argument[-1])
    if code is constants.ATOMIC_GROUP:
        return _effort(argument)
    return _Effort(compared=LONGEST if code is constants.GROUPREF else 1)


def _any_of(parts: Iterable[Iterable[tuple[Any, Any]]]) -> _Effort:
    efforts = [_effort(part) for part in parts]
    return _Effort(sum(one.ways for one in efforts), sum(one.compared for one in efforts))


def _repeated(part: _Effort, least: int, most: int) -> _Effort:
    if part.ways == 1:
        return _Effort(most - least + 1, most * part.compared + most - least)
    if most > _MOST_REPEATS:
        return _Effort(MOST_STEPS, MOST_COMPARED)
    so_far = list(accumulate(repeat(part.ways, most), int.__mul__, initial=1))
    return _Effort(sum(so_far[least:]), sum(so_far[:most]) * part.compared)
