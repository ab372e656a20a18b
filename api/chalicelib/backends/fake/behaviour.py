"""How a fake engine behaves: its pace, what it serves, and which bad day it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, get_args

from chalicelib.backends.fake.chance import chance

Fault = Literal[
    "none",
    "refuse",  # nobody listens
    "hang",  # the request is taken and never answered
    "stall",  # half of the answer, then silence
    "reset",  # half of the answer, then a connection reset
    "truncate",  # half of the promised length, then an orderly close
    "trickle",  # the answer byte by byte, `trickle_interval_s` apart
    "huge",  # an answer that never ends
    "status",  # `status`, with Retry-After where `retry_after_s` is set
    "garbage",  # 200, not JSON
    "error_body",  # 200, an error inside; on a stream after half of the tokens
    "abort",  # 200, half of the text, finish_reason "abort"
    "wrong_model",  # 200, signed by another model
    "no_choices",  # 200, `choices` is empty
    "empty_text",  # 200, one choice that says nothing
]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
WIRE_FAULTS: Final = frozenset({"refuse", "hang", "stall", "reset", "truncate", "trickle", "huge"})

Answer = str | Callable[[str], str] | None


class BehaviourError(ValueError):
    """A knob that does not exist or cannot be set so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Knobs; the default is a healthy engine that answers at once."""

    latency_s: float = 0.0
    """Before anything else; streamed or not."""
    time_to_first_token_s: float = 0.0
    inter_token_latency_s: float = 0.0
    """An answer that is not streamed takes as long as its tokens would."""
    models: tuple[str, ...] | None = None
    """Served names, the first one signs; None serves any name."""
    api_key: str | None = field(default=None, repr=False)
    """Asked for under `/v1` only, as vLLM does."""
    max_model_len: int = 4096
    answer: Answer = None
    """A text, or one made from the prompt (all message texts, joined by line ends).

    None makes words from the prompt's digest, or JSON where the request asks for a schema."""
    fault: Fault = "none"
    fault_ratio: float = 1.0
    """Share of the requests that the fault hits, drawn from `seed` and the request's number."""
    fail_first: int | None = None
    """Only the first so many requests can be hit; None: all."""
    seed: int = 0
    faults_health: bool = False
    """Whether `/health` and `/ping` suffer too; "refuse" spares nothing."""
    status: int = 500
    retry_after_s: int | None = None
    trickle_interval_s: float = 1.0

    def __post_init__(self) -> None:
        for name, (is_valid, allowed) in _ALLOWED.items():
            if not is_valid(value := getattr(self, name)):
                raise BehaviourError(f"{name}: {value!r} is not {allowed}")

    def fault_of(self, ordinal: int) -> Fault:
        """What befalls the request number `ordinal`, counted from 0."""
        if self.fail_first is not None and ordinal >= self.fail_first:
            return "none"
        if self.fault_ratio < 1 and chance(self.seed, ordinal) >= self.fault_ratio:
            return "none"
        return self.fault


def changed(behaviour: Behaviour, changes: Mapping[str, Any]) -> Behaviour:
    """`behaviour` with knobs as they come from JSON.

    Raises:
        BehaviourError: names the knob and what is allowed.
    """
    known = {knob.name for knob in fields(Behaviour)}
    if unknown := sorted(changes.keys() - known):
        raise BehaviourError(f"{unknown[0]}: no such knob; there are {', '.join(sorted(known))}")
    knobs = dict(changes)
    if isinstance(knobs.get("models"), list):
        knobs["models"] = tuple(knobs["models"])
    return replace(behaviour, **knobs)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_models(value: object) -> bool:
    return value is None or (
        isinstance(value, tuple) and len(value) > 0 and all(isinstance(name, str) for name in value)
    )


_SECONDS: Final = (
    lambda value: _is_number(value) and 0 <= value <= 3600,  # noqa: PLR2004  (an hour)
    "seconds from 0 to 3600",
)
_ALLOWED: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "latency_s": _SECONDS,
    "time_to_first_token_s": _SECONDS,
    "inter_token_latency_s": _SECONDS,
    "trickle_interval_s": _SECONDS,
    "models": (_is_models, "null or a list of at least one name"),
    "api_key": (lambda value: value is None or isinstance(value, str), "null or a text"),
    "max_model_len": (lambda value: _is_count(value) and value > 0, "a number of tokens above 0"),
    "answer": (
        lambda value: value is None or isinstance(value, str) or callable(value),
        "null or a text",
    ),
    "fault": (lambda value: value in FAULTS, f"one of {', '.join(FAULTS)}"),
    "fault_ratio": (lambda value: _is_number(value) and 0 <= value <= 1, "a share from 0 to 1"),
    "fail_first": (lambda value: value is None or _is_count(value), "null or a count"),
    "seed": (lambda value: isinstance(value, int), "a whole number"),
    "faults_health": (lambda value: isinstance(value, bool), "true or false"),
    "status": (
        lambda value: _is_count(value) and 400 <= value <= 599,  # noqa: PLR2004  (HTTP's errors)
        "an HTTP status from 400 to 599",
    ),
    "retry_after_s": (lambda value: value is None or _is_count(value), "null or whole seconds"),
}
