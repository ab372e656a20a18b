"""SageMaker endpoints as deployed: what runs, what it is called, and what it may do."""

import json
import re
from typing import Any, Final

import pytest

from cdk.deployment import Deployment
from cdk.serving_container import HOST_IMAGE, image_uri, serving_environment
from chalicelib.config import load_config
from chalicelib.settings import Settings
from tests.support.synth import Template, resources, templates

STAGE: Final = "staging"  # its endpoints run
ENDPOINT: Final = "AWS::SageMaker::Endpoint"
CONFIG: Final = "AWS::SageMaker::EndpointConfig"
COMPONENT: Final = "AWS::SageMaker::InferenceComponent"
MODEL: Final = "AWS::SageMaker::Model"
TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY: Final = "AWS::ApplicationAutoScaling::ScalingPolicy"


@pytest.fixture(scope="module")
def models() -> Template:
    return templates(STAGE)["models"]


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources(template, kind).values()]


def named(template: Template, kind: str, name: str) -> set[str]:
    return {one[name] for one in properties(template, kind)}


def test_every_sagemaker_target_of_the_gateway_is_deployed_under_the_stages_name(
    models: Template,
) -> None:
    prefix = f"llmo-{STAGE}-"
    deployed = named(models, ENDPOINT, "EndpointName")
    components = named(models, COMPONENT, "InferenceComponentName")
    variants = {
        variant["VariantName"]
        for config in properties(models, CONFIG)
        for variant in config["ProductionVariants"]
    }
    config = load_config(Settings().config_file, integration_timeout_s=60)
    targets = [one for one in config.targets() if one.backend == "sagemaker"]
    assert targets
    for target in targets:
        name, mark, part = re.fullmatch(r"([^/#]+)([/#]?)(.*)", target.place).groups()  # type: ignore[union-attr]
        assert prefix + name in deployed
        assert mark != "#" or prefix + part in components
        assert mark != "/" or part in variants


@pytest.mark.parametrize("context", [("dev",), (STAGE, "paused=true")])
def test_where_sagemaker_is_off_or_paused_nothing_bills(context: tuple[str, ...]) -> None:
    template = templates(*context)["models"]
    kinds = {one["Type"] for one in resources(template).values()}
    assert kinds == {
        "AWS::EC2::SecurityGroup",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
    }


def test_models_are_the_fleets_engines_on_awss_container(models: Template) -> None:
    deployment = Deployment.read(STAGE)
    wanted = [
        serving_environment(variant.engine, deployment.fleet.engines[variant.engine])
        for endpoint in deployment.endpoints.values()
        for variant in endpoint.variants.values()
    ]
    containers = [one["PrimaryContainer"] for one in properties(models, MODEL)]
    assert [one["Environment"] for one in containers] == wanted
    assert {one["Image"] for one in containers} == {image_uri("us-west-2")}


def test_weights_are_plain_files_of_one_revision(models: Template) -> None:
    for model in properties(models, MODEL):
        source = model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
        assert source["CompressionType"] == "None"
        assert source["S3DataType"] == "S3Prefix"
        assert json.dumps(source["S3Uri"]).endswith('-AWQ/main/"]]}')


def test_containers_talk_to_nobody_and_have_no_public_address(models: Template) -> None:
    components = [one for one in properties(models, CONFIG) if "ExecutionRoleArn" in one]
    isolated = [*properties(models, MODEL), *components]
    assert len(isolated) == 4  # three models, and the endpoint with components
    for one in isolated:
        assert one["EnableNetworkIsolation"] is True
        assert len(one["VpcConfig"]["Subnets"]) == 3
    (group,) = properties(models, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [rule["FromPort"] for rule in group["SecurityGroupEgress"]] == [443]


def test_no_prompt_is_captured(models: Template) -> None:
    assert "DataCaptureConfig" not in json.dumps(models)


def test_variants_have_weights_and_counts_and_a_driver_for_their_image(models: Template) -> None:
    for config in properties(models, CONFIG):
        for variant in config["ProductionVariants"]:
            assert variant["InitialInstanceCount"] == 1
            assert variant["InstanceType"] == "ml.g5.xlarge"
            assert variant["InferenceAmiVersion"] == HOST_IMAGE
            assert variant["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
            assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600
            assert ("ModelName" in variant) == ("ManagedInstanceScaling" not in variant)
            if "ModelName" in variant:
                assert variant["InitialVariantWeight"] == 1


def test_a_base_has_a_card_and_each_adapter_is_on_it(models: Template) -> None:
    by_name = {one["InferenceComponentName"]: one for one in properties(models, COMPONENT)}
    base = by_name.pop("llmo-staging-mistral-7b-lora")["Specification"]
    assert base["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == 1
    assert set(by_name) == {"llmo-staging-lora-v1", "llmo-staging-lora-v2"}
    for name, component in by_name.items():
        specification = component["Specification"]
        adapter = name.removeprefix("llmo-staging-")
        assert specification["BaseInferenceComponentName"] == "llmo-staging-mistral-7b-lora"
        url = json.dumps(specification["Container"]["ArtifactUrl"])
        assert f"/adapters/{adapter}@1.tar.gz" in url
        assert "ComputeResourceRequirements" not in specification


def test_adapters_wait_for_their_base(models: Template) -> None:
    components = resources(models, COMPONENT)
    (base,) = [
        name
        for name, one in components.items()
        if "ModelName" in one["Properties"]["Specification"]
    ]
    for name, one in components.items():
        assert name == base or base in one["DependsOn"]


def test_what_has_components_scales_to_zero_and_wakes_what_has_variants_does_not(
    models: Template,
) -> None:
    targets = {one["ResourceId"]: one for one in properties(models, TARGET)}
    assert {name: (one["MinCapacity"], one["MaxCapacity"]) for name, one in targets.items()} == {
        "endpoint/llmo-staging-quant-endpoint/variant/awq": (1, 2),
        "endpoint/llmo-staging-eval-endpoint/variant/judge": (1, 2),
        "inference-component/llmo-staging-mistral-7b-lora": (0, 2),
    }
    scaling = [
        variant["ManagedInstanceScaling"]
        for config in properties(models, CONFIG)
        for variant in config["ProductionVariants"]
        if "ManagedInstanceScaling" in variant
    ]
    assert scaling == [{"MinInstanceCount": 0, "MaxInstanceCount": 2, "Status": "ENABLED"}]
    (alarm,) = properties(models, "AWS::CloudWatch::Alarm")
    watched = {
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }
    assert watched == named(models, COMPONENT, "InferenceComponentName")
    policies = resources(models, POLICY)
    (action,) = alarm["AlarmActions"]
    assert policies[action["Ref"]]["Properties"]["PolicyType"] == "StepScaling"


def test_scaling_follows_what_the_engine_batches(models: Template) -> None:
    tracked = [
        one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for one in properties(models, POLICY)
        if one["PolicyType"] == "TargetTrackingScaling"
    ]
    assert tracked == pytest.approx([0.7 * 32, 0.7 * 16, 0.7 * 16])
