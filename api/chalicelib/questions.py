"""A request's body, checked, as a question for a team's model."""

from collections.abc import Mapping
from typing import Any, Final

from chalicelib import openai_fields
from chalicelib.auth import Principal
from chalicelib.config import Config, Team
from chalicelib.errors import GatewayError
from chalicelib.exchange import Exchange
from chalicelib.inference import CHAT, Question
from chalicelib.validation import check, invalid, required

_DEFAULTS: Final = {"max_tokens": 256, "temperature": 0.7}
_OURS: Final = frozenset({"model", "user", "session_id", "stream", "stream_options"})
"""What the gateway itself acts on; engines get the rest."""
_PREDICT_SAMPLING: Final = ("max_tokens", "temperature", "top_p", "stop", "seed")


def find_team(config: Config, name: str, *, param: str | None = None) -> Team:
    """Raises:
    GatewayError: `unknown_team`.
    """
    try:
        return config.teams[name]
    except KeyError:
        known = ", ".join(config.teams)
        raise GatewayError(
            "unknown_team", f"There is no such team. There are: {known}.", param=param
        ) from None


def predict(
    team: Team,
    document: Mapping[str, Any],
    exchange: Exchange,
    principal: Principal,
    *,
    max_tokens: int,
) -> Question:
    """`POST /api/{team}/predict`.

    Raises:
        GatewayError: a field is wrong, or the key may not do this.
    """
    check(document, openai_fields.predict(max_tokens), refused={})
    _refuse_streaming(document)
    extra = document.get("model_params") or {}
    if extra:
        _check_model_params(extra, max_tokens)
    given = {name: value for name, value in document.items() if value is not None}
    return Question(
        team=team,
        path=CHAT,
        body={
            "messages": _messages(given),
            **_DEFAULTS,
            **{name: given[name] for name in _PREDICT_SAMPLING if name in given},
            **{name: value for name, value in extra.items() if value is not None},
        },
        unit=given.get("session_id") or exchange.unit,
        pin=_pin(given.get("variant"), principal),
    )


def openai(
    config: Config,
    path: str,
    document: Mapping[str, Any],
    exchange: Exchange,
    principal: Principal,
    *,
    max_tokens: int,
) -> Question:
    """`POST /v1/chat/completions` and `POST /v1/completions`.

    Raises:
        GatewayError: a field is wrong, or the key may not do this.
    """
    fields = openai_fields.chat if path == CHAT else openai_fields.completion
    check(document, fields(max_tokens), refused=openai_fields.REFUSED)
    _refuse_streaming(document)
    required(document, "messages" if path == CHAT else "prompt")
    name, _, variant = required(document, "model").partition("/")
    team = find_team(config, name, param="model")
    exchange.route.team = team.name
    principal.require_team(team.name, shared=team.shared)
    return Question(
        team=team,
        path=path,
        body={
            name: value
            for name, value in document.items()
            if value is not None and name not in _OURS
        },
        unit=document.get("session_id")
        or _session(exchange)
        or document.get("user")
        or exchange.unit,
        pin=_pin(variant or None, principal),
    )


def models(config: Config, principal: Principal) -> dict[str, Any]:
    """`GET /v1/models`: the names this key may ask for, in OpenAI's shape."""
    return {"object": "list", "data": _models(config, principal)}


def model(config: Config, principal: Principal, name: str) -> dict[str, Any]:
    """`GET /v1/models/{model}`: one of them.

    Raises:
        GatewayError: `not_found`: there is none, or this key may not ask for it.
    """
    for described in _models(config, principal):
        if described["id"] == name:
            return described
    raise GatewayError("not_found", "There is no such model for this key.", param="model")


def _models(config: Config, principal: Principal) -> list[dict[str, Any]]:
    names: list[tuple[str, str]] = []
    for team in config.teams.values():
        if team.shared or principal.may_use(team.name):
            names.append((team.name, team.name))
            if principal.has("pin"):
                names += [(f"{team.name}/{variant}", team.name) for variant in team.variants]
    return [
        {"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in names
    ]


def _messages(document: Mapping[str, Any]) -> object:
    if ("prompt" in document) == ("messages" in document):
        raise invalid("prompt", "or 'messages' is needed, and not both")
    if "messages" in document:
        return document["messages"]
    return [{"role": "user", "content": document["prompt"]}]


def _check_model_params(extra: Mapping[str, Any], max_tokens: int) -> None:
    fields = openai_fields.chat(max_tokens)
    taken = {*_OURS, *_PREDICT_SAMPLING, "messages"}
    try:
        check(
            extra,
            {name: rule for name, rule in fields.items() if name not in taken},
            refused={**openai_fields.REFUSED, **dict.fromkeys(taken, "is a field of its own")},
        )
    except GatewayError as error:
        error.param = f"model_params.{error.param}"
        raise


def _refuse_streaming(document: Mapping[str, Any]) -> None:
    if document.get("stream"):
        raise GatewayError(
            "streaming_unavailable",
            "This gateway answers whole, not in a stream: leave 'stream' out.",
            param="stream",
        )


def _pin(variant: str | None, principal: Principal) -> str | None:
    if variant is not None:
        principal.require("pin")
    return variant


def _session(exchange: Exchange) -> str | None:
    return exchange.unit if "x-session-id" in exchange.headers else None
