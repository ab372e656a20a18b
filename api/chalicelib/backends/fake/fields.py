"""The JSON fields of a request, and vLLM's words for what is wrong with them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final


class Refusal(Exception):  # noqa: N818  (an answer, not a failure)
    """The request is answered with an error."""

    def __init__(self, status: int, message: str, kind: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param


def bad(message: str, param: str | None = None, value: object = None) -> Refusal:
    told = "" if value is None else f", value={value}"
    suffix = f" (parameter={param}{told})" if param else ""
    return Refusal(400, message + suffix, "BadRequestError", param)


def invalid(kind: str, loc: str, msg: str, value: object, **more: object) -> Refusal:
    shown = (
        f"<{type(value).__name__} of {len(value)} items>"
        if isinstance(value, list | dict)
        else f"{value}"
    )
    error = {"type": kind, "loc": loc, "msg": msg, "input": shown, **more}
    return Refusal(400, f"1 validation error:\n  {error}", "Bad Request", loc)


def _not_json(error: Exception, *, is_raw: bool) -> Refusal:
    if is_raw:
        return Refusal(400, f"JSON decode error: {error}", "Bad Request")
    at, reason = (error.pos, error.msg) if isinstance(error, json.JSONDecodeError) else (0, "")
    return invalid("json_invalid", f"body.{at}", "JSON decode error", {}, ctx={"error": reason})


def fields_of(body: bytes, *, is_raw: bool) -> dict[str, Any]:
    """The JSON object in `body`; `is_raw`: the route decodes it itself and words errors so."""
    try:
        fields: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_json(error, is_raw=is_raw) from None
    if not isinstance(fields, dict):
        sentence = "Input should be a valid dictionary or object to extract fields from"
        raise invalid("model_attributes_type", "body", sentence, fields)
    return fields


def _integer(value: object) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    if isinstance(value, int | float | str):
        return int(value)
    raise ValueError


def _number(value: object) -> float:
    return float(str(value))


def _converted(
    value: object, name: str, convert: Callable[[object], float], kind: str, sentence: str
) -> float:
    try:
        return convert(value)
    except (ValueError, OverflowError):
        if isinstance(value, float) and kind == "int_parsing":
            kind = "int_from_float"
            sentence = "Input should be a valid integer, got a number with a fractional part"
        raise invalid(kind, f"body.{name}", sentence, value) from None


_INT: Final = (
    _integer,
    "int_parsing",
    "Input should be a valid integer, unable to parse string as an integer",
)
_FLOAT: Final = (
    _number,
    "float_parsing",
    "Input should be a valid number, unable to parse string as a number",
)
_TYPES: Final[Mapping[str, tuple[Callable[[object], float], str, str]]] = {
    "max_tokens": _INT,
    "max_completion_tokens": _INT,
    "min_tokens": _INT,
    "n": _INT,
    "seed": _INT,
    "top_logprobs": _INT,
    "prompt_logprobs": _INT,
    "temperature": _FLOAT,
    "top_p": _FLOAT,
}


def coerce_numbers(fields: dict[str, Any]) -> None:
    """Make every numeric field the number it stands for."""
    for name, (convert, kind, sentence) in _TYPES.items():
        if fields.get(name) is not None:
            fields[name] = _converted(fields[name], name, convert, kind, sentence)


_DICTIONARIES: Final = ("stream_options", "response_format", "structured_outputs")


def check_containers(fields: Mapping[str, Any]) -> None:
    """Refuse a field whose value has the wrong build."""
    for name in _DICTIONARIES:
        value = fields.get(name)
        if value is not None and not isinstance(value, dict):
            raise invalid("dict_type", f"body.{name}", "Input should be a valid dictionary", value)
    stop = fields.get("stop")
    texts = stop if isinstance(stop, list) else [stop or ""]
    if not all(isinstance(text, str) for text in texts):
        raise invalid("string_type", "body.stop", "Input should be a valid string", stop)
