r"""Regular expressions that can't hang.

Python's engine backtracks, and nothing can interrupt it. So a pattern is bounded before it is used:
from its parse tree follows in how many ways it can match one piece of text; that number, times the
places where a match may begin, is the most that a search can try. A pattern beyond MOST_STEPS is
refused, with LONGEST characters of the answer looked at. `(a+)+` and `.*x.*` are refused,
`\d{4}-\d{2}` and `^[a-z ]{1,80}$` are not.
"""

import re
from collections.abc import Iterable
from re import _constants as constants  # type: ignore[attr-defined]  # the parse tree's only home
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

LONGEST: Final = 2_000
MOST_STEPS: Final = 10_000_000
_FLAGS: Final = re.IGNORECASE
_REPEATS: Final = frozenset({constants.MAX_REPEAT, constants.MIN_REPEAT})
_ATOMIC: Final = frozenset({constants.POSSESSIVE_REPEAT, constants.ATOMIC_GROUP})


def bounded(pattern: str) -> re.Pattern[str]:
    """`pattern`, ready for text of at most LONGEST characters; case is ignored.

    Raises ValueError: it is no pattern, or a search with it could take too long.
    """
    try:
        tree = parser.parse(pattern, _FLAGS)
        compiled = re.compile(pattern, _FLAGS)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"regex: {pattern!r} is no pattern: {error}") from None
    steps = LONGEST * _ways(tree)
    if steps > MOST_STEPS:
        raise ValueError(
            f"regex: {pattern!r} could try {float(min(steps, 10**300)):.0e} ways on a long answer,"
            f" {MOST_STEPS:.0e} are allowed; use {{m,n}} in place of * and +, and fewer of them"
        )
    return compiled


def _ways(tree: Iterable[tuple[Any, Any]]) -> int:
    """In how many ways at most the parts of a sequence can match, taken together."""
    product = 1
    for code, argument in tree:
        product *= _ways_of(code, argument)
        if product > MOST_STEPS:
            break
    return product


def _ways_of(code: object, argument: Any) -> int:  # noqa: ANN401, PLR0911  (one for each code)
    if code in _REPEATS:
        least, most, part = argument
        most, inner = min(most, LONGEST), _ways(part)
        if inner == 1:
            return int(most) - int(least) + 1 if most >= least else 1
        return MOST_STEPS + 1 if most > 64 else sum(inner**n for n in range(least, most + 1))  # noqa: PLR2004
    if code is constants.BRANCH:
        return sum(_ways(part) for part in argument[1])
    if code is constants.SUBPATTERN:
        return _ways(argument[-1])
    if code in {constants.ASSERT, constants.ASSERT_NOT}:
        return _ways(argument[1])
    if code in _ATOMIC:
        return _ways(argument[-1] if code is constants.POSSESSIVE_REPEAT else argument) * (
            LONGEST if code is constants.POSSESSIVE_REPEAT else 1
        )
    if code is constants.GROUPREF_EXISTS:
        return sum(_ways(part) for part in argument[1:] if part is not None)
    return 1
