"""What an answer must be like to count as right.

A check is data (`{"kind": "numeric", "value": 4}`) and one class of `harness.checks.kinds`. A row
passes when all of its checks do; an empty answer or an echo of the question never passes.
"""

from harness.checks.grading import Graded, grade
from harness.checks.kinds import (
    KINDS,
    Check,
    ContainsAll,
    ContainsAny,
    Exact,
    JsonSchema,
    Numeric,
    Regex,
)

__all__ = [
    "KINDS",
    "Check",
    "ContainsAll",
    "ContainsAny",
    "Exact",
    "Graded",
    "JsonSchema",
    "Numeric",
    "Regex",
    "grade",
]
