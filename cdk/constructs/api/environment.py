"""The gateway's settings, under the names that api/chalicelib/settings.py reads."""

import json
from collections.abc import Mapping

from cdk import names
from cdk.constructs.api.roles import Stores
from cdk.deployment import Deployment


def keys_environment(deployment: Deployment, stores: Stores) -> Mapping[str, str]:
    """For whoever looks at keys, without their secrets."""
    return {
        "STAGE": deployment.stage.name,
        "LOG_LEVEL": "INFO",
        "KEYS_TABLE": stores.keys.table_name,
    }


def authorizer_environment(deployment: Deployment, stores: Stores) -> Mapping[str, str]:
    """Secrets are named, never given: the function reads them when it needs them."""
    return {
        **keys_environment(deployment, stores),
        "PEPPER_SECRET": stores.key_pepper.secret_arn,
    }


def handler_environment(deployment: Deployment, stores: Stores) -> Mapping[str, str]:
    stage = deployment.stage
    engines = deployment.fleet.engines
    urls = {name: names.url(stage, names.engine_host(stage, name)) for name in engines}
    keys = {name: names.engine_key(stage, name) for name in engines}
    return {
        **authorizer_environment(deployment, stores),
        "ROUTING_TABLE": stores.routing.table_name,
        "AUDIT_TABLE": stores.audit.table_name,
        "ENGINE_URLS": _compact(urls),
        "ENGINE_KEY_SECRETS": _compact(keys),
        "SAGEMAKER_ENDPOINT_PREFIX": names.endpoint(stage, ""),
        "BACKENDS": "vllm,sagemaker" if deployment.sagemaker else "vllm",
        "INTEGRATION_TIMEOUT_S": str(stage.integration_timeout_s),
        "OTEL_EXPORTER_OTLP_ENDPOINT": names.url(stage, names.collector_host(stage)),
        "OTEL_SERVICE_NAME": "gateway",
    }


def _compact(values: Mapping[str, str]) -> str:
    return json.dumps(values, separators=(",", ":"))
