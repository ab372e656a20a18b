"""The gateway's functions: one entry for each that Chalice makes of `api/app.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.constructs.api.environment import (
    authorizer_environment,
    handler_environment,
    keys_environment,
)
from cdk.constructs.api.roles import (
    Stores,
    authorizer_rights,
    endpoint_arns,
    engine_key_arns,
    handler_rights,
    key_expiry_rights,
)
from cdk.deployment import Deployment

_AUTHORIZER_S: Final = 10
"""It asks two stores, each for at most two seconds, perhaps after a cold start."""
_KEY_EXPIRY_S: Final = 60
"""A hundred keys a page, at most two seconds each."""


@dataclass(frozen=True, kw_only=True)
class Function:
    chalice: str
    """Chalice's name of it in its template."""
    name: str
    memory_mb: int
    """CPU goes with it."""
    timeout_s: int
    environment: Mapping[str, str]
    rights: Sequence[iam.PolicyStatement]
    """Besides its own log and the network."""
    seldom: bool = False
    """Nobody waits for it, as of a schedule: then each failure counts, not several together."""


def gateway_functions(
    scope: Construct, deployment: Deployment, stores: Stores
) -> Mapping[str, Function]:
    """By part. A schedule or event of `api/app.py` is one more entry here."""
    stage = deployment.stage
    return {
        "gateway": Function(
            chalice="APIHandler",
            name=names.prefixed(stage, "gateway"),
            memory_mb=1024,
            timeout_s=stage.integration_timeout_s,
            environment=handler_environment(deployment, stores),
            rights=handler_rights(
                stores,
                engine_keys=engine_key_arns(scope, deployment),
                endpoints=endpoint_arns(scope, deployment),
            ),
        ),
        "authorizer": Function(
            chalice="KeysAuthorizer",
            name=names.prefixed(stage, "authorizer"),
            memory_mb=512,
            timeout_s=_AUTHORIZER_S,
            environment=authorizer_environment(deployment, stores),
            rights=authorizer_rights(stores),
        ),
        "key-expiry": Function(
            chalice="KeyExpiry",
            name=names.prefixed(stage, "key-expiry"),
            memory_mb=512,
            timeout_s=_KEY_EXPIRY_S,
            environment=keys_environment(deployment, stores),
            rights=key_expiry_rights(stores),
            seldom=True,
        ),
    }
