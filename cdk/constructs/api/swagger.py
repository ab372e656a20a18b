"""Chalice's description of the API, with what Chalice has no setting for."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import aws_apigateway as apigateway

Swagger = dict[str, Any]

TLS: Final = f"SecurityPolicy_{apigateway.SecurityPolicy.TLS13_1_2_PFS_PQ_2025_09.value}"
"""TLS 1.3, or 1.2 with forward secrecy: what every current client speaks."""
ACCESS_MODE: Final = apigateway.EndpointAccessMode.STRICT.value
"""The name in the TLS handshake must be the one in the request."""

NAMES_SAM_STAGE: Final = {
    "CloudFormation-Validate::F1020": "RestAPI.Stage is SAM's name for the stage that it makes."
}
"""For what refers to API Gateway's stage, which is in no template before SAM's transform."""

_CORRELATION_ID: Final = "context.requestId"
_HEADERS: Final = {
    "X-Correlation-ID": _CORRELATION_ID,
    "X-Latency-Ms": "'0.000'",
    **{f"X-Route-{part}": "'none'" for part in ("Team", "Variant", "Target", "Version")},
}


def hardened(
    swagger: Swagger, *, name: str, timeout_s: int, refusals: Mapping[str, Any]
) -> Swagger:
    """A copy with TLS, timeouts, and `refusals`: what API Gateway says where it answers itself."""
    ours = copy.deepcopy(swagger)
    ours["info"]["title"] = name
    ours["x-amazon-apigateway-security-policy"] = TLS
    ours["x-amazon-apigateway-endpoint-access-mode"] = ACCESS_MODE
    ours["x-amazon-apigateway-gateway-responses"] = {
        kind: _gateway_response(refusal) for kind, refusal in refusals.items()
    }
    for method in methods(ours):
        method["x-amazon-apigateway-integration"]["timeoutInMillis"] = timeout_s * 1000
    return ours


def methods(swagger: Swagger) -> Iterator[dict[str, Any]]:
    for path in swagger["paths"].values():
        yield from path.values()


def error_body(refusal: Mapping[str, Any], correlation_id: str | None) -> dict[str, Any]:
    """The contract's one shape of errors."""
    said = {field: refusal[field] for field in ("message", "type", "code")}
    return {"error": {**said, "param": None, "correlation_id": correlation_id}}


def _gateway_response(refusal: Mapping[str, Any]) -> dict[str, Any]:
    headers = _HEADERS | ({"Retry-After": "'1'"} if refusal["status"] == 429 else {})  # noqa: PLR2004
    return {
        "statusCode": str(refusal["status"]),
        "responseParameters": {
            f"gatewayresponse.header.{header}": value for header, value in headers.items()
        },
        "responseTemplates": {
            "application/json": json.dumps(error_body(refusal, f"${_CORRELATION_ID}"))
        },
    }
