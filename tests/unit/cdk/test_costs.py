"""A bill adds up, and never hides what it does not know."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from rich.console import Console

from cdk.cost_table import cost_table
from cdk.costs import Line, bill, totals
from cdk.deployment import Deployment
from cdk.inventory import inventory, quantity
from cdk.prices import Price, load_prices

PRICE: Final = Price(usd=2.0, source="nat", estimate=False)
DEPLOYMENT: Final = Deployment.read("dev")


def resource(kind: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401  (CloudFormation)
    return {"Type": kind, "Properties": properties}


def applied(*objects: Mapping[str, Any]) -> dict[str, Any]:
    manifest = {"Fn::Join": ["", [json.dumps(objects).replace("X", '"'), ""]]}
    return resource("Custom::AWSCDK-EKS-KubernetesResource", Manifest=manifest)


def workload(cpu: str, replicas: int, **limits: int) -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu}, "limits": limits}}
    template = {"spec": {"containers": [container]}}
    return {"kind": "Deployment", "spec": {"replicas": replicas, "template": template}}


@pytest.mark.parametrize(
    ("one", "amounts"),
    [
        (resource("AWS::EC2::NatGateway"), {"nat-gateway": 1}),
        (
            resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"]),
            {"interface-endpoint": 2},
        ),
        (resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway"), {}),
        (resource("AWS::WAFv2::WebACL", Rules=[{}, {}]), {"waf-acl": 1, "waf-rule": 2}),
        (resource("AWS::IAM::Role"), {}),
        (resource("AWS::DynamoDB::Table"), {}),
        (resource("AWS::RDS::DBInstance"), {"unknown AWS::RDS::DBInstance": 1}),
        (
            resource("AWS::CloudWatch::Alarm", Period=60),
            {"alarm-metric": 1, "alarm-metric-fast": 0},
        ),
        (
            resource(
                "AWS::CloudWatch::Alarm",
                Metrics=[{"MetricStat": {"Period": 30}}, {"Expression": "m0"}],
            ),
            {"alarm-metric": 0, "alarm-metric-fast": 1},
        ),
    ],
)
def test_a_resource_is_counted_as_it_bills(
    one: Mapping[str, Any], amounts: Mapping[str, float]
) -> None:
    assert inventory([one]) == amounts


def test_instances_are_counted_at_their_fewest_and_at_their_most() -> None:
    fixed = {"VariantName": "awq", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    managed = {
        "VariantName": "lora",
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {"MinInstanceCount": 0, "MaxInstanceCount": 3},
    }
    found = [
        resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[fixed, managed]),
        resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            ResourceId="endpoint/e/variant/awq",
            MaxCapacity=2,
        ),
    ]
    assert inventory(found) == {"sagemaker ml.g5.xlarge": 1}
    assert inventory(found, most=True) == {"sagemaker ml.g5.xlarge": 5}


@pytest.mark.parametrize(
    ("text", "number"), [("250m", 0.25), ("2", 2), (3, 3), ("512Mi", 2**29), ("20Gi", 20 * 2**30)]
)
def test_quantities_are_kubernetes(text: object, number: float) -> None:
    assert quantity(text) == number


def test_paused_has_no_nodes_and_the_most_is_the_dearest_type_on_every_gpu() -> None:
    running = [
        resource("AWS::EKS::Cluster"),
        applied(
            workload("500m", 3),
            workload("3", 1, **{"nvidia.com/gpu": 1}),  # an engine, which has a node of its own
            {
                "kind": "PersistentVolumeClaim",
                "spec": {"resources": {"requests": {"storage": "10Gi"}}},
            },
        ),
    ]
    paused = [resource("AWS::EKS::Cluster")]
    lines = {
        line.name: list(line.amounts)
        for line in bill(DEPLOYMENT, load_prices(), running=running, paused=paused)
    }
    assert lines["eks-cluster"] == [1, 1, 1]
    assert lines["general-cpu"] == [0, 2, DEPLOYMENT.stage.general.cpus]
    assert lines["spot g4dn.xlarge"] == [0, 3, 0]
    assert lines["spot g6e.xlarge"] == lines["auto-mode g6e.xlarge"] == [0, 0, 4]
    assert lines["disk-gib"] == [0, 10 + 100 + 4 * 100, 10 + 4 * 100 + 4 * 100]


def test_on_demand_is_the_most_where_a_stage_may_buy_it() -> None:
    gpu = replace(DEPLOYMENT.stage.gpu, capacity=("spot", "on-demand"))
    deployment = replace(DEPLOYMENT, stage=replace(DEPLOYMENT.stage, gpu=gpu))
    lines = {line.name for line in bill(deployment, load_prices(), running=[], paused=[])}
    assert "on-demand g6e.xlarge" in lines
    assert "spot g4dn.xlarge" in lines


def test_what_has_no_price_is_unknown_and_named_but_never_zero() -> None:
    known = Line(name="nat-gateway", price=PRICE, amounts=(1, 1, 3))
    unknown = Line(name="unknown AWS::RDS::DBInstance", price=None, amounts=(0, 1, 1))
    assert list(known.hourly) == [2, 2, 6]
    assert list(unknown.hourly) == [0, None, None]
    summed = totals([known, unknown])
    assert [one.hourly for one in summed.values()] == [2, 2, 6]
    assert summed["paused"].unknown == ()
    assert summed["idle"].unknown == ("unknown AWS::RDS::DBInstance",)
    assert summed["at most"].monthly == 6 * 730


def test_the_table_says_unknown_and_over() -> None:
    lines = [
        Line(name="nat-gateway", price=PRICE, amounts=(1, 1, 3)),
        Line(name="a thing", price=None, amounts=(0, 1, 1)),
        Line(name="guess", price=replace(PRICE, estimate=True), amounts=(1, 0, 0)),
    ]
    console = Console(width=120, record=True, file=None)
    with console.capture() as captured:
        console.print(cost_table("dev", lines, load_prices()))
    text = captured.get()
    rows = {row.split("│")[1].strip(): row for row in text.splitlines() if row.startswith("│")}
    assert rows["a thing"].count("unknown") == 3
    assert "~2.0000" in rows["guess"]
    assert "over 6.000" in rows["an hour"]
    assert "over 4.000" not in rows["an hour"]
    cells = [cell.strip() for cell in rows["of it ~ an hour"].split("│")]
    assert cells[3:5] == ["50%", "2.000"]
    assert "https://cloudpipelines" in text


def test_how_much_of_a_sum_is_guessed_is_told() -> None:
    read = Line(name="nat-gateway", price=PRICE, amounts=(1, 3, 0))
    guessed = Line(name="guess", price=replace(PRICE, estimate=True), amounts=(0, 1, 0))
    unknown = Line(name="a thing", price=None, amounts=(1, 1, 0))
    summed = totals([read, guessed, unknown])
    assert [one.estimated for one in summed.values()] == [0, 2, 0]
    assert [one.estimated_share for one in summed.values()] == [0, 0.25, 0]
