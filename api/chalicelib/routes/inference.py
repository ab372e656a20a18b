"""`/api/{team}/predict`: the platform's own way to ask a team's model."""

from typing import Any

from chalice.app import Blueprint, ChaliceAuthorizer

from chalicelib import questions
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.routes.edge import view
from chalicelib.validation import parse_object


def routes(gateway: Gateway, authorizer: ChaliceAuthorizer) -> Blueprint:
    blueprint = Blueprint(__name__)

    @blueprint.route("/api/{team}/predict", methods=["POST"], authorizer=authorizer)
    @view("invoke")
    def predict(exchange: Exchange, team: str) -> dict[str, Any]:
        principal = exchange.principal()
        found = questions.find_team(gateway.config, team)
        exchange.route.team = found.name
        principal.require_team(found.name, shared=found.shared)
        question = questions.predict(
            found,
            parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes),
            exchange,
            principal,
            max_tokens=gateway.settings.max_tokens,
        )
        answer = gateway.inference.ask(question, exchange)
        return {
            "output": answer.text,
            "model_version": answer.model,
            "latency_ms": exchange.latency_ms,
            "correlation_id": exchange.correlation_id,
            "team": exchange.route.team,
            "variant": exchange.route.variant,
            "target": exchange.route.target,
            "finish_reason": answer.finish_reason,
            "usage": exchange.usage,
        }

    return blueprint
