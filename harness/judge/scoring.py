"""Answers scored by the stage's judge, through `POST /api/eval/score`.

A judge that gives no valid scores has failed; a failure is a result of its own and never a number.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Self

import httpx
import msgspec

from harness.errors import GatewayError
from harness.judge.pool import each
from harness.stage import Stage, reached

TEAM: Final = "eval"
PATH: Final = "/api/eval/score"
DIMENSIONS: Final = ("coherence", "helpfulness", "factuality", "toxicity")
PROFILES: Final = ("daily-gate-v1", "strict-v1")
AT_ONCE: Final = 4
_WORTH_ASKING_AGAIN: Final = frozenset(
    {
        "no_answer",
        "rate_limited",
        "no_healthy_target",
        "store_unavailable",
        "upstream_timeout",
        "upstream_error",
    }
)
_CALLERS_MISTAKE: Final = frozenset({401, 403, 404, 405})


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to be judged."""

    case_id: str
    question: str
    answer: str
    reference: str | None = None
    category: str = ""


class Scored(msgspec.Struct, frozen=True, kw_only=True, tag="scored", tag_field="kind"):
    """Scores from 0 to 1. `passed` is the profile's word, not the judge's."""

    coherence: float
    helpfulness: float
    factuality: float
    toxicity: float
    passed: bool
    profile: str
    eval_id: str = ""
    reasoning: str = ""

    def __post_init__(self) -> None:
        for name in DIMENSIONS:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is not from 0 to 1")


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed", tag_field="kind"):
    """No scores, and why."""

    code: str
    """Of the gateway's error; `no_answer` where there was none, `no_contract` where it was none."""
    status: int = 0
    message: str = ""

    @property
    def worth_asking_again(self) -> bool:
        """The judge said nothing; had it said something useless it would say so again."""
        return self.code in _WORTH_ASKING_AGAIN

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        match _document(response):
            case {"error": {"code": str(code), "message": str(message)}}:
                return cls(code=code, status=response.status_code, message=message)
        return cls(
            code="no_contract",
            status=response.status_code,
            message=f"{response.status_code} without the contract's error",
        )


Outcome = Scored | Failed


async def score(
    stage: Stage,
    cases: Iterable[Case],
    *,
    profile: str,
    at_once: int = AT_ONCE,
    told: Callable[[Case, Outcome], None] = lambda _case, _outcome: None,
) -> dict[str, Outcome]:
    """Each case's outcome by its id; `told` hears of each as it comes.

    Raises GatewayError where the gateway is away, or refuses the caller, as it would every other.
    """
    outcomes: dict[str, Outcome] = {}

    async def one(case: Case) -> None:
        outcomes[case.case_id] = outcome = await score_one(gateway, stage, case, profile)
        told(case, outcome)

    async with stage.client(at_once=at_once) as gateway:
        await reached(stage, gateway)
        await each(cases, one, at_once=at_once)
    return outcomes


async def score_one(gateway: httpx.AsyncClient, stage: Stage, case: Case, profile: str) -> Outcome:
    body = {"prompt": case.question, "response": case.answer, "profile": profile}
    if case.reference is not None:
        body["reference"] = case.reference
    try:
        response = await gateway.post(PATH, json=body, headers=stage.authorization(TEAM))
    except httpx.HTTPError as error:
        return Failed(code="no_answer", message=type(error).__name__)
    if response.status_code != httpx.codes.OK:
        return refused_none(Failed.of(response))
    try:
        return msgspec.convert({**_document(response), "kind": "scored"}, Scored)
    except msgspec.ValidationError as error:
        return Failed(code="no_contract", status=response.status_code, message=str(error))


def refused_none(failed: Failed) -> Failed:
    """Raises GatewayError for what is the caller's mistake and not the judge's."""
    if failed.status in _CALLERS_MISTAKE:
        raise GatewayError(f"the gateway refuses: {failed.status} {failed.code}: {failed.message}")
    return failed


def _document(response: httpx.Response) -> dict[str, Any]:
    try:  # strictly: what is no text couldn't be kept either
        document = msgspec.json.decode(response.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
