"""Liveness and readiness, open to anybody."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.errors import ConfigError
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.routes.edge import view


def routes(gateway: Gateway) -> Blueprint:
    blueprint = Blueprint(__name__)

    @blueprint.route("/startup", methods=["GET"])
    @view(None)
    def startup(exchange: Exchange) -> dict[str, Any]:
        del exchange
        return {"status": "started"}

    @blueprint.route("/health", methods=["GET"])
    @view(None)
    def health(exchange: Exchange) -> dict[str, Any]:
        del exchange
        return {"status": "ok"}

    @blueprint.route("/ready", methods=["GET"])
    @view(None)
    def ready(exchange: Exchange) -> tuple[dict[str, Any], int]:
        del exchange
        try:
            readiness = gateway.readiness.current()
        except ConfigError as error:
            return {"status": "not_ready", "reason": f"configuration: {error}"}, 503
        return readiness.document(), 200 if readiness.ready else 503

    return blueprint
