"""The API's address: its own name where the stage has a domain, else API Gateway's."""

import json
from typing import Any

import pytest

from tests.support.deployed_api import api
from tests.support.domain import with_domain
from tests.support.synth import STAGES, Template, resources, templates


@pytest.fixture
def template() -> Template:
    return with_domain()["api"]


def only(template: Template, kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def told(template: Template) -> Any:  # noqa: ANN401  (CloudFormation)
    """Where operations find the address; the same as in the outputs."""
    parameters = [one["Properties"] for one in resources(template, "AWS::SSM::Parameter").values()]
    (url,) = (one["Value"] for one in parameters if one["Name"].endswith("/url"))
    assert template["Outputs"]["Url"]["Value"] == url
    return url


@pytest.mark.parametrize("stage", STAGES)
def test_without_a_domain_it_is_api_gateways(stage: str) -> None:
    address = json.dumps(told(templates(stage)["api"]))
    assert '{"Ref": "RestAPI"}' in address
    assert f'/{stage}"' in address
    assert api(stage)["DisableExecuteApiEndpoint"] is False


def test_with_a_domain_there_is_no_other_way_in(template: Template) -> None:
    assert told(template) == "https://llm.example.org"
    assert only(template, "AWS::Serverless::Api")["DisableExecuteApiEndpoint"] is True


def test_the_name_has_the_apis_tls_policy(template: Template) -> None:
    name = only(template, "AWS::ApiGateway::DomainName")
    assert name["DomainName"] == "llm.example.org"
    assert name["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert name["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
    assert name["EndpointAccessMode"] == "STRICT"


def test_the_name_leads_to_the_stage(template: Template) -> None:
    mapping = only(template, "AWS::ApiGateway::BasePathMapping")
    assert (mapping["RestApiId"], mapping["Stage"]) == (
        {"Ref": "RestAPI"},
        {"Ref": "RestAPI.Stage"},
    )
    assert "BasePath" not in mapping


def test_the_name_is_in_the_public_zone_for_both_kinds_of_address(template: Template) -> None:
    records = [one["Properties"] for one in resources(template, "AWS::Route53::RecordSet").values()]
    assert {(one["Name"], one["Type"], one["HostedZoneId"]) for one in records} == {
        ("llm.example.org.", "A", "Z0"),
        ("llm.example.org.", "AAAA", "Z0"),
    }


def test_the_certificate_is_proven_by_that_zone(template: Template) -> None:
    certificate = only(template, "AWS::CertificateManager::Certificate")
    assert certificate["DomainName"] == "llm.example.org"
    assert certificate["ValidationMethod"] == "DNS"
