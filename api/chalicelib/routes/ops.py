"""`/ops/routes`: the weights in force, changed under optimistic locking, and explained."""

from typing import Any, Final

from chalice.app import Blueprint, ChaliceAuthorizer

from chalicelib import questions, routing
from chalicelib.config import Team
from chalicelib.errors import GatewayError
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.openai_fields import UNIT_MAX
from chalicelib.routes.edge import view
from chalicelib.splits import RoutingState, check_weights
from chalicelib.validation import check, invalid, json_object, parse_object, required, whole

_FIELDS: Final = {"split": json_object, "version": whole(0, 2**53)}


def routes(gateway: Gateway, authorizer: ChaliceAuthorizer) -> Blueprint:
    blueprint = Blueprint(__name__)

    def team_of(exchange: Exchange, name: str, *, to_read: bool) -> Team:
        team = questions.find_team(gateway.config, name)
        exchange.route.team = team.name
        exchange.principal().require_team(team.name, shared=team.shared and to_read)
        return team

    @blueprint.route("/ops/routes/{team}", methods=["GET"], authorizer=authorizer)
    @view("ops:read")
    def get_route(exchange: Exchange, team: str) -> dict[str, Any]:
        found = team_of(exchange, team, to_read=True)
        return _described(found, gateway.routing_store.current(), exchange)

    @blueprint.route("/ops/routes/{team}", methods=["PUT"], authorizer=authorizer)
    @view("ops:write")
    def put_route(exchange: Exchange, team: str) -> dict[str, Any]:
        found = team_of(exchange, team, to_read=False)
        document = parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes)
        check(document, _FIELDS, refused={})
        gateway.routing_store.put_split(
            found,
            check_weights(found, required(document, "split")),
            expected_version=required(document, "version"),
            actor=exchange.principal().key_id,
            correlation_id=exchange.correlation_id,
        )
        return _described(found, gateway.routing_store.current(), exchange)

    @blueprint.route("/ops/routes/{team}/explain", methods=["GET"], authorizer=authorizer)
    @view("ops:read")
    def explain(exchange: Exchange, team: str) -> dict[str, Any]:
        found = team_of(exchange, team, to_read=True)
        unit = exchange.query.get("unit", "")
        if not 1 <= len(unit) <= UNIT_MAX:
            raise invalid("unit", f"must have from 1 to {UNIT_MAX} characters")
        weights = gateway.routing_store.current().split(found).weights
        if version := exchange.query.get("route_version"):
            past = gateway.routing_store.past_weights(found, version)
            if past is None:
                raise GatewayError(
                    "not_found", "No split of this team had that version.", param="route_version"
                )
            weights = past
        choice = routing.choose(found, weights, unit)
        exchange.route.version = routing.version(found, weights)
        return {
            "team": found.name,
            "unit": unit,
            "variant": choice.variant.name,
            "reason": "highest score of weight / -ln(draw), draw from HMAC(salt, unit, variant)",
            "route_version": exchange.route.version,
            "scores": [
                {
                    "variant": name,
                    "weight": weights.get(name, 0),
                    "draw": routing.draw(found.salt, unit, name),
                    "score": score,
                }
                for name, score in routing.scores(found, weights, unit).items()
            ],
            "targets": [
                {"target": target.name, "health": gateway.breaker.health(target.name)}
                for target in choice.variant.targets
            ],
        }

    return blueprint


def _described(team: Team, state: RoutingState, exchange: Exchange) -> dict[str, Any]:
    split = state.split(team)
    exchange.route.version = routing.version(team, split.weights)
    return {
        "team": team.name,
        "split": {name: split.weights.get(name, 0) for name in team.variants},
        "version": split.version,
        "route_version": exchange.route.version,
        "source": state.source if split.version else "declared",
        "timeout_s": team.timeout_s,
        "cross_variant_fallback": team.cross_variant_fallback,
        "variants": {
            variant.name: {
                "model": variant.model,
                "targets": [target.name for target in variant.targets],
            }
            for variant in team.variants.values()
        },
    }
