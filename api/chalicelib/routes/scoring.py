"""`/api/eval/score`: the judge's opinion of an answer, against a profile."""

import secrets
from typing import Any, Final

from chalice.app import Blueprint, ChaliceAuthorizer

from chalicelib import judge, questions
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.inference import CHAT, Question
from chalicelib.routes.edge import view
from chalicelib.validation import check, parse_object, required, text

TEAM: Final = "eval"
_FIELDS: Final = {
    "prompt": text(1),
    "response": text(),
    "reference": text(),
    "profile": text(1, 64),
}


def routes(gateway: Gateway, authorizer: ChaliceAuthorizer) -> Blueprint:
    blueprint = Blueprint(__name__)

    @blueprint.route("/api/eval/score", methods=["POST"], authorizer=authorizer)
    @view("score")
    def score(exchange: Exchange) -> dict[str, Any]:
        team = questions.find_team(gateway.config, TEAM)
        exchange.route.team = team.name
        exchange.principal().require_team(team.name, shared=team.shared)
        document = parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes)
        check(document, _FIELDS, refused={})
        prompt, response = required(document, "prompt"), required(document, "response")
        name = document.get("profile") or judge.DEFAULT_PROFILE
        profile = judge.profile(name)
        question = Question(
            team=team,
            path=CHAT,
            body=judge.request(prompt, response, document.get("reference")),
            unit=exchange.unit,
        )
        scores, reasoning = judge.read(gateway.inference.ask(question, exchange).text)
        return {
            "eval_id": f"eval_{secrets.token_hex(8)}",
            **scores,
            "passed": profile.passes(scores) and judge.is_answer(prompt, response),
            "profile": name,
            "reasoning": reasoning,
            "correlation_id": exchange.correlation_id,
        }

    return blueprint
