"""The formulas of domain files: arithmetic and a few functions, nothing else of Python."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

Values = Mapping[str, Any]

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: a ** min(b, 64),
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def _column(rows: list[Any], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _total(rows: list[Any], name: str, column: str = "", equals: object = None) -> Any:  # noqa: ANN401
    """The sum of one column, of the rows where another column has a value."""
    return sum(row[name] for row in rows if not column or row[column] == equals)


def _roman(number: int) -> str:
    text = ""
    for value, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        count, number = divmod(number, value)
        text += sign * count
    return text


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "add_days": lambda day, n: (date.fromisoformat(day) + timedelta(days=n)).isoformat(),
    "binary": lambda n: f"{n:b}",
    "clock": lambda minutes: f"{minutes // 60 % 24:02d}:{minutes % 60:02d}",
    "column": _column,
    "count": lambda rows, name, value: sum(row[name] == value for row in rows),
    "day": lambda n, start="2024-01-01": (date.fromisoformat(start) + timedelta(n)).isoformat(),
    "days_between": lambda a, b: (date.fromisoformat(b) - date.fromisoformat(a)).days,
    "digits": lambda n: sum(map(int, str(n))),
    "gcd": math.gcd,
    "hexadecimal": lambda n: f"{n:X}",
    "index": lambda values, value: list(values).index(value),
    "int": int,
    "join": lambda values, by: by.join(map(str, values)),
    "lcm": math.lcm,
    "len": len,
    "lower": str.lower,
    "max": max,
    "min": min,
    "reverse": lambda text: text[::-1],
    "roman": _roman,
    "round": round,
    "sorted": sorted,
    "split": str.split,
    "sqrt": math.isqrt,
    "str": str,
    "sum": sum,
    "total": _total,
    "upper": str.upper,
    "weekday": lambda day: date.fromisoformat(day).strftime("%A"),
}


def evaluate(formula: str, values: Values) -> Any:  # noqa: ANN401  (a formula has any value)
    """Raises ValueError, saying what in the formula can't be worked out."""
    try:
        return _value(ast.parse(formula, mode="eval").body, values)
    except (SyntaxError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{formula!r}: {type(error).__name__}: {error}") from None


def _value(node: ast.expr, values: Values) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.Attribute(value=owner, attr=name):
            return _value(owner, values)[name]
        case ast.Subscript(value=owner, slice=index):
            return _value(owner, values)[_value(index, values)]
        case ast.List(elts=parts):
            return [_value(part, values) for part in parts]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_value(part, values) for part in parts)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return _COMPARE[type(op)](_value(left, values), _value(right, values))
        case ast.IfExp(test=test, body=yes, orelse=no):
            return _value(yes if _value(test, values) else no, values)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(argument, values) for argument in arguments))
        case _:
            raise ValueError(f"{ast.unparse(node)!r} can't be part of a formula")
