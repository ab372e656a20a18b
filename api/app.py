"""The gateway's composition root: Chalice on the outside, the framework-free core within."""

from typing import Any

from chalice.app import AuthRequest, AuthResponse, Chalice, CloudWatchEvent

from chalicelib import auth, key_expiry
from chalicelib.gateway import Gateway
from chalicelib.routes import edge, health, inference, keys, openai, ops, scoring

AUTHORIZER_TTL_S = 60
"""API Gateway remembers a key's answer this long, so a disabled key works no longer than that."""

gateway = Gateway()
app = Chalice(app_name="llmo-gateway", configure_logs=False)
app.api.binary_types = []  # everything here is text, and comparing types costs more than routing


@app.authorizer(ttl_seconds=AUTHORIZER_TTL_S)
def keys_authorizer(request: AuthRequest) -> AuthResponse:
    """Who calls? What they may do is decided by the routes.

    A bad key is let through without a principal, so that the answer is the contract's 401 and not
    API Gateway's. A store that can't be asked is an error, which is not remembered.
    """
    principal = gateway.keys.authenticate(auth.bearer(request.token))
    context = principal.to_context() if principal else {"denied": "invalid_key"}
    return AuthResponse(routes=["*"], principal_id=context.get("key_id", "nobody"), context=context)


@app.schedule(key_expiry.SCHEDULE, name="key_expiry")
def look_at_keys(event: CloudWatchEvent) -> None:
    """Whatever keeps it from an answer is the function's error, which an alarm counts."""
    context: Any = event.context  # Lambda's, which Chalice takes for a dictionary
    key_expiry.look(
        gateway.keys,
        gateway.telemetry,
        stage=gateway.settings.stage,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )


app.register_middleware(edge.middleware(gateway), "http")
app.register_blueprint(health.routes(gateway))
for group in (inference, openai, scoring, ops, keys):
    app.register_blueprint(group.routes(gateway, keys_authorizer))
