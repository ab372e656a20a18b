"""The gateway's settings, under the names that api/chalicelib/settings.py reads."""

import json
from collections.abc import Mapping

from cdk import names
from cdk.constructs.gateway_roles import Stores
from cdk.deployment import Deployment


def authorizer_environment(deployment: Deployment, stores: Stores) -> Mapping[str, str]:
    """Secrets are named, never given: the function reads them when it needs them."""
    return {
        "STAGE": deployment.stage.name,
        "LOG_LEVEL": "INFO",
        "KEYS_TABLE": stores.keys.table_name,
        "PEPPER_SECRET": stores.key_pepper.secret_arn,
    }


def handler_environment(deployment: Deployment, stores: Stores) -> Mapping[str, str]:
    stage = deployment.stage
    engines = {
        name: names.url(stage, names.engine_host(stage, name)) for name in deployment.fleet.engines
    }
    return {
        **authorizer_environment(deployment, stores),
        "ROUTING_TABLE": stores.routing.table_name,
        "AUDIT_TABLE": stores.audit.table_name,
        "ENGINE_KEY_SECRET": stores.engine_key.secret_arn,
        "ENGINE_URLS": json.dumps(engines, separators=(",", ":")),
        "SAGEMAKER_ENDPOINT_PREFIX": names.endpoint(stage, ""),
        "BACKENDS": "vllm,sagemaker" if deployment.sagemaker else "vllm",
        "INTEGRATION_TIMEOUT_S": str(stage.integration_timeout_s),
        "OTEL_EXPORTER_OTLP_ENDPOINT": names.url(stage, names.collector_host(stage)),
        "OTEL_SERVICE_NAME": "gateway",
    }
