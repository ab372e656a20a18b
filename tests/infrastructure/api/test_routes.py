"""What is open to the internet: every route of the app, closed but for three."""

import json
from typing import Any, Final

import pytest

from app import AUTHORIZER_TTL_S, app
from cdk.deployment import Deployment
from tests.support.deployed_api import api, methods
from tests.support.synth import ROOT, STAGES, resources, templates

OPEN: Final = {("/startup", "GET"), ("/health", "GET"), ("/ready", "GET")}
EXTENSION: Final = "x-amazon-apigateway-"


@pytest.mark.parametrize("stage", STAGES)
def test_every_route_of_the_app_is_there_and_no_other(stage: str) -> None:
    declared = {(path, verb) for path, views in app.routes.items() for verb in views}
    assert declared > OPEN
    assert {(path, verb) for path, verb, _ in methods(stage)} == declared


@pytest.mark.parametrize("stage", STAGES)
def test_all_but_health_asks_for_a_key(stage: str) -> None:
    asked = {(path, verb): method.get("security") for path, verb, method in methods(stage)}
    assert {route for route, security in asked.items() if not security} == OPEN
    assert all(asked[route] == [{"keys_authorizer": []}] for route in asked.keys() - OPEN)


@pytest.mark.parametrize("stage", STAGES)
def test_the_key_is_checked_by_the_authorizer_function(stage: str) -> None:
    (name,) = (definitions := api(stage)["DefinitionBody"]["securityDefinitions"])
    scheme = definitions[name]
    assert (name, scheme["in"], scheme["name"]) == ("keys_authorizer", "header", "Authorization")
    authorizer = scheme[f"{EXTENSION}authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == AUTHORIZER_TTL_S
    assert "${KeysAuthorizer.Arn}/invocations" in authorizer["authorizerUri"]["Fn::Sub"]


@pytest.mark.parametrize("stage", STAGES)
def test_only_this_api_may_call_the_functions(stage: str) -> None:
    permissions = resources(templates(stage)["api"], "AWS::Lambda::Permission")
    assert len(permissions) == 2
    for permission in permissions.values():
        properties = permission["Properties"]
        assert properties["Principal"] == "apigateway.amazonaws.com"
        source, values = properties["SourceArn"]["Fn::Sub"]
        assert source.endswith(":${AWS::AccountId}:${RestAPIId}/*")
        assert values == {"RestAPIId": {"Ref": "RestAPI"}}


@pytest.mark.parametrize("stage", STAGES)
def test_a_route_is_waited_for_as_long_as_the_stage_says(stage: str) -> None:
    told = Deployment.read(stage).stage.integration_timeout_s * 1000
    integrations = [method[f"{EXTENSION}integration"] for _, _, method in methods(stage)]
    assert {(one["type"], one["timeoutInMillis"]) for one in integrations} == {("aws_proxy", told)}


@pytest.mark.parametrize("stage", STAGES)
def test_the_endpoint_is_regional_with_a_modern_tls_policy(stage: str) -> None:
    """Old ciphers are refused, and a name in the handshake that is not the request's."""
    described = api(stage)
    assert described["EndpointConfiguration"] == "REGIONAL"
    body = described["DefinitionBody"]
    assert body[f"{EXTENSION}security-policy"] == "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
    assert body[f"{EXTENSION}endpoint-access-mode"] == "STRICT"


@pytest.mark.parametrize("stage", STAGES)
def test_there_is_one_stage(stage: str) -> None:
    """Without a version SAM makes another, "Stage": neither guarded, logged nor throttled."""
    assert api(stage)["OpenApiVersion"] == "2.0"
    assert api(stage)["StageName"] == stage


@pytest.mark.parametrize("stage", STAGES)
def test_all_of_it_is_throttled(stage: str) -> None:
    throttle = Deployment.read(stage).stage.throttle
    (settings,) = api(stage)["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == throttle.rate
    assert settings["ThrottlingBurstLimit"] == throttle.burst


REFUSALS: Final[dict[str, dict[str, Any]]] = json.loads(
    (ROOT / "api/gateway_responses.json").read_text("utf-8")
)


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_api_gateway_says_itself_has_the_contracts_shape(kind: str) -> None:
    """As `local_server.py` says it: status, error, and the headers of every response."""
    told = REFUSALS[kind]
    response = api("dev")["DefinitionBody"][f"{EXTENSION}gateway-responses"][kind]
    assert response["statusCode"] == str(told["status"])
    assert json.loads(response["responseTemplates"]["application/json"]) == {
        "error": {
            "message": told["message"],
            "type": told["type"],
            "code": told["code"],
            "param": None,
            "correlation_id": "$context.requestId",
        }
    }
    headers = {
        name.removeprefix("gatewayresponse.header."): value
        for name, value in response["responseParameters"].items()
    }
    assert headers["X-Correlation-ID"] == "context.requestId"
    assert headers.keys() >= {
        "X-Latency-Ms",
        "X-Route-Team",
        "X-Route-Variant",
        "X-Route-Target",
        "X-Route-Version",
    }
    assert ("Retry-After" in headers) == (told["status"] == 429)
