"""OpenAI's contract, so that its clients work unchanged. A team is a model."""

from typing import Any
from urllib.parse import unquote

from chalice.app import Blueprint, ChaliceAuthorizer

from chalicelib import questions
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.inference import CHAT, COMPLETIONS
from chalicelib.routes.edge import view
from chalicelib.validation import parse_object


def routes(gateway: Gateway, authorizer: ChaliceAuthorizer) -> Blueprint:
    blueprint = Blueprint(__name__)

    def ask(exchange: Exchange, path: str) -> dict[str, Any]:
        question = questions.openai(
            gateway.config,
            path,
            parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes),
            exchange,
            exchange.principal(),
            max_tokens=gateway.settings.max_tokens,
        )
        return dict(gateway.inference.ask(question, exchange).document)

    @blueprint.route(CHAT, methods=["POST"], authorizer=authorizer)
    @view("invoke")
    def chat_completions(exchange: Exchange) -> dict[str, Any]:
        return ask(exchange, CHAT)

    @blueprint.route(COMPLETIONS, methods=["POST"], authorizer=authorizer)
    @view("invoke")
    def completions(exchange: Exchange) -> dict[str, Any]:
        return ask(exchange, COMPLETIONS)

    @blueprint.route("/v1/models", methods=["GET"], authorizer=authorizer)
    @view("invoke")
    def list_models(exchange: Exchange) -> dict[str, Any]:
        return questions.models(gateway.config, exchange.principal())

    @blueprint.route("/v1/models/{team}", methods=["GET"], authorizer=authorizer)
    @view("invoke")
    def get_team(exchange: Exchange, team: str) -> dict[str, Any]:
        # The slash of `team/variant` may come as it is or escaped.
        return questions.model(gateway.config, exchange.principal(), unquote(team))

    @blueprint.route("/v1/models/{team}/{variant}", methods=["GET"], authorizer=authorizer)
    @view("invoke")
    def get_variant(exchange: Exchange, team: str, variant: str) -> dict[str, Any]:
        return questions.model(gateway.config, exchange.principal(), f"{team}/{variant}")

    return blueprint
