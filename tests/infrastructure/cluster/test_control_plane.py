"""The cluster itself: closed, logged, encrypted, and with nodes of our own only."""

import json
from typing import Any, Final

import pytest

from cdk.stages import load_stages
from tests.support.synth import STAGES, Template, resources, templates

KINDS: Final = {"api", "audit", "authenticator", "controllerManager", "scheduler"}


def template(stage: str = "dev", *context: str) -> Template:
    return templates(stage, *context)["cluster"]


def cluster(stage: str = "dev") -> dict[str, Any]:
    (only,) = resources(template(stage), "AWS::EKS::Cluster").values()
    return only


def entries(kind: str | None = None) -> list[dict[str, Any]]:
    found = resources(template(), "AWS::EKS::AccessEntry").values()
    return [one["Properties"] for one in found if one["Properties"].get("Type") == kind]


def policies(entry: dict[str, Any]) -> set[str]:
    return {
        json.dumps(one["PolicyArn"]).rsplit("/", 1)[-1].rstrip('"]}')
        for one in entry["AccessPolicies"]
    }


@pytest.mark.parametrize("stage", STAGES)
def test_it_has_the_stages_name_version_and_addresses(stage: str) -> None:
    properties = cluster(stage)["Properties"]
    assert properties["Name"] == f"llmo-{stage}"
    assert properties["Version"] == "1.35"
    network = properties["KubernetesNetworkConfig"]
    assert network["ServiceIpv4Cidr"] == load_stages()[stage].service_cidr


def test_its_api_has_no_public_address() -> None:
    network = cluster()["Properties"]["ResourcesVpcConfig"]
    assert network["EndpointPrivateAccess"] is True
    assert network["EndpointPublicAccess"] is False
    assert len(network["SubnetIds"]) == 3
    assert "Public" not in json.dumps(network["SubnetIds"])


def test_auto_mode_does_all_of_it_without_pools_of_its_own() -> None:
    properties = cluster()["Properties"]
    assert properties["ComputeConfig"] == {"Enabled": True, "NodePools": []}
    assert properties["StorageConfig"] == {"BlockStorage": {"Enabled": True}}
    assert properties["KubernetesNetworkConfig"]["ElasticLoadBalancing"] == {"Enabled": True}
    assert properties["BootstrapSelfManagedAddons"] is False


@pytest.mark.parametrize("stage", STAGES)
def test_the_control_plane_logs_everything_as_long_as_the_stage_wants(stage: str) -> None:
    properties = cluster(stage)["Properties"]
    enabled = properties["Logging"]["ClusterLogging"]["EnabledTypes"]
    assert {one["Type"] for one in enabled} == KINDS
    kept = {
        one["Properties"]["LogGroupName"]: one["Properties"]["RetentionInDays"]
        for one in resources(template(stage), "AWS::Logs::LogGroup").values()
        if "LogGroupName" in one["Properties"]
    }
    assert kept[f"/aws/eks/llmo-{stage}/cluster"] == load_stages()[stage].log_retention_days


def test_the_log_group_is_there_before_eks_would_make_one() -> None:
    groups = resources(template(), "AWS::Logs::LogGroup")
    assert set(cluster()["DependsOn"]) & set(groups)


def test_secrets_are_encrypted_with_a_key_that_rotates() -> None:
    (encryption,) = cluster()["Properties"]["EncryptionConfig"]
    assert encryption["Resources"] == ["secrets"]
    name = encryption["Provider"]["KeyArn"]["Fn::GetAtt"][0]
    key = resources(template(), "AWS::KMS::Key")[name]
    assert key["Properties"]["EnableKeyRotation"] is True


def test_who_made_the_cluster_has_no_rights_in_it() -> None:
    access = cluster()["Properties"]["AccessConfig"]
    assert access["AuthenticationMode"] == "API"
    assert access["BootstrapClusterCreatorAdminPermissions"] is False


def test_only_nodes_of_our_role_join() -> None:
    (entry,) = entries("EC2")
    assert policies(entry) == {"AmazonEKSAutoNodePolicy"}


def test_only_cdks_handler_administers_a_stage_without_administrators() -> None:
    assert load_stages()["dev"].administrators == ()
    (entry,) = entries()
    assert policies(entry) == {"AmazonEKSClusterAdminPolicy"}
    assert "KubectlProvider" in json.dumps(entry["PrincipalArn"])


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_of_the_cluster_is_left_behind(stage: str) -> None:
    """It bills by the hour; what a stage keeps is data."""
    kept = [
        name
        for name, resource in resources(template(stage)).items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert kept == []


def test_cdks_handler_reads_no_images() -> None:
    roles = resources(template(), "AWS::IAM::Role")
    handler = next(role for name, role in roles.items() if "KubectlProviderHandler" in name)
    assert "ContainerRegistry" not in json.dumps(handler)


def test_no_statement_allows_everything() -> None:
    for policy in resources(template(), "AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*"
            assert "*" not in statement["Action"]
