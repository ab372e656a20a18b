"""What every route shares: one exchange a request, one shape for errors, headers, the log line."""

import functools
import json
import logging
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec

from chalice.app import Request, Response

from chalicelib.errors import ConfigError, GatewayError, StoreUnavailable
from chalicelib.exchange import Exchange, current
from chalicelib.gateway import Gateway

P = ParamSpec("P")
View = Callable[Concatenate[Exchange, P], Any]
Middleware = Callable[[Request, Callable[[Request], Response]], Response]

logger = logging.getLogger(__name__)
_JSON: Final = {"Content-Type": "application/json"}
_encode: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_CHALICES_OWN: Final = {405: "method_not_allowed", 415: "invalid_request", 400: "invalid_request"}


def view(scope: str | None) -> Callable[[View[P]], Callable[P, Response]]:
    """A route's function gets the exchange and returns a document, or (document, status).

    Only a key with `scope` gets that far; None opens the route to anybody.
    """

    def around(function: View[P]) -> Callable[P, Response]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
            exchange = current.get()
            try:
                exchange.check_headers()
                if scope is not None:
                    exchange.principal().require(scope)
                result = function(exchange, *args, **kwargs)
                document, status = result if isinstance(result, tuple) else (result, 200)
                return json_response(document, status)
            except Exception as error:  # noqa: BLE001  (the last line of defence: no stack leaves)
                return error_response(_told(error), exchange)

        return wrapped

    return around


def middleware(gateway: Gateway) -> Middleware:
    """Around every request: the exchange, its span, the headers, a log line and its metrics."""

    def around(request: Request, get_response: Callable[[Request], Response]) -> Response:
        exchange = exchange_of(request)
        token = current.set(exchange)
        telemetry = gateway.telemetry
        try:
            name = f"{exchange.method} {exchange.path}"
            with telemetry.request(name, exchange.headers) as span:
                telemetry.identify(
                    correlation_id=exchange.correlation_id,
                    trace_id=f"{span.get_span_context().trace_id:032x}",
                )
                response = _in_contract(get_response(request), exchange)
                response.headers.update(exchange.response_headers())
                span.set_attributes(_attributes(exchange, response.status_code))
                telemetry.record(
                    _log_fields(exchange),
                    _dimensions(exchange, response.status_code),
                    _counts(exchange, response.status_code),
                )
            telemetry.flush()
        finally:
            current.reset(token)
        return response

    return around


def exchange_of(request: Request) -> Exchange:
    """The framework's request as the core knows one."""
    context = getattr(request, "lambda_context", None)
    try:
        body = request.raw_body
    except ValueError:  # text that is no UTF-8, or bad base64: parsing the body will say so
        body = b"\xff"
    return Exchange(
        method=request.method,
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query_params or {}),
        body=body if isinstance(body, bytes) else body.encode(),
        authorizer=request.context.get("authorizer") or {},
        request_id=str(request.context.get("requestId") or ""),
        time_left_s=context.get_remaining_time_in_millis() / 1000 if context else None,
    )


def json_response(document: object, status: int = 200) -> Response:
    return Response(body=_encode(document), status_code=status, headers=dict(_JSON))


def error_response(error: GatewayError, exchange: Exchange) -> Response:
    response = json_response(error.body(exchange.correlation_id), error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def _in_contract(response: Response, exchange: Exchange) -> Response:
    """Chalice answers some requests before a view is reached, in a shape of its own."""
    if not (isinstance(response.body, dict) and set(response.body) == {"Code", "Message"}):
        return response
    status = response.status_code
    code = _CHALICES_OWN.get(status, "internal_error")
    message = {
        405: f"{exchange.path} does not take {exchange.method}.",
        415: "The body must be application/json.",
    }.get(status, "Something went wrong here.")
    ours = error_response(GatewayError(code, message), exchange)
    ours.headers.update({name: v for name, v in response.headers.items() if name == "Allow"})
    return ours


def _attributes(exchange: Exchange, status: int) -> dict[str, str | int]:
    route = exchange.route
    attributes: dict[str, str | int] = {
        "http.request.method": exchange.method,
        "http.route": exchange.path,
        "http.response.status_code": status,
        "lab.team": route.team,
        "lab.variant": route.variant,
        "lab.target": route.target,
        "lab.route.version": route.version,
        "lab.route.reason": route.reason,
    }
    if route.fallback:
        attributes["lab.fallback.from"] = route.fallback.rpartition(":")[0]
        attributes["lab.fallback.to"] = route.target
    return attributes


def _log_fields(exchange: Exchange) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "key_id": exchange.authorizer.get("key_id"),
        "route_version": exchange.route.version,
        "route_reason": exchange.route.reason,
        "fallback": exchange.route.fallback,
        "body_bytes": len(exchange.body),
    }


def _dimensions(exchange: Exchange, status: int) -> dict[str, str]:
    route = exchange.route
    return {
        "route": exchange.path,
        "team": route.team,
        "variant": route.variant,
        "target": route.target,
        "status": str(status),
    }


def _counts(exchange: Exchange, status: int) -> dict[str, float]:
    """Latency's sample count is the number of requests."""
    return {
        "Latency": exchange.latency_ms,
        "Errors": int(status >= 500),  # noqa: PLR2004
        "Fallbacks": int(exchange.route.fallback is not None),
        "PromptTokens": exchange.usage.get("prompt_tokens", 0),
        "CompletionTokens": exchange.usage.get("completion_tokens", 0),
    }


def _told(error: Exception) -> GatewayError:
    """What the caller is told of an error; what isn't meant for callers is logged instead."""
    match error:
        case GatewayError():
            return error
        case StoreUnavailable():
            logger.warning("store unavailable: %s", error)
            message = "A store can't be reached now."
            return GatewayError("store_unavailable", message, retry_after_s=1)
        case ConfigError():
            logger.critical("configuration: %s", error)
            return GatewayError("internal_error", "The gateway is set up wrongly.")
        case _:
            logger.error("unexpected error", exc_info=_without_message(error))
            return GatewayError("internal_error", "Something went wrong here.")


def _without_message(error: Exception) -> tuple[type[Exception], Exception, Any]:
    """The stack without the message, which may hold what the caller sent."""
    # Not of the error's own class: some can't be made of a text alone.
    withheld = Exception(f"{type(error).__name__} (message withheld)")
    return type(error), withheld, error.__traceback__
