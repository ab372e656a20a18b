"""What of a synthesised stage bills by time: amounts, by name of a price."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from cdk.assembly import Resource

Amounts = Mapping[str, float]
_FAST_S: Final = 60

# Billed by requests, bytes or work, or free. Who adds another service says here what it costs.
BY_USE: Final = frozenset(
    {
        "AWS::ApiGateway", "AWS::Athena", "AWS::DynamoDB", "AWS::Events", "AWS::Glue",
        "AWS::Lambda", "AWS::Logs", "AWS::S3", "AWS::SNS", "AWS::SQS", "AWS::Scheduler",
        "AWS::Serverless", "AWS::StepFunctions", "AWS::XRay",
    }
)  # fmt: skip
FREE: Final = frozenset(
    {
        "AWS::ApplicationAutoScaling", "AWS::Budgets", "AWS::CDK", "AWS::CertificateManager",
        "AWS::CloudFormation", "AWS::CloudWatch", "AWS::EC2", "AWS::EKS", "AWS::IAM", "AWS::KMS",
        "AWS::ElasticLoadBalancingV2", "AWS::Route53", "AWS::SSM", "AWS::SageMaker",
        "AWS::SecretsManager", "AWS::WAFv2", "Custom",
    }
)  # fmt: skip
"""Of these services all but what `_BILLED` names."""


def together(*parts: Amounts) -> Amounts:
    return {
        name: math.fsum(part.get(name, 0) for part in parts)
        for name in dict.fromkeys(name for part in parts for name in part)
    }


def inventory(found: Sequence[Resource], *, most: bool = False) -> Amounts:
    """With `most` at the highest that scaling may reach; what nobody knows is `unknown <type>`."""
    return together(*(_amounts(one, found, most=most) for one in found))


def _amounts(resource: Resource, found: Sequence[Resource], *, most: bool) -> Amounts:
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind in _BILLED:
        return _BILLED[kind](properties)
    if kind == "AWS::SageMaker::EndpointConfig":
        return _instances(properties, found, most=most)
    service = kind.rpartition("::")[0] or "Custom"
    return {} if service in BY_USE | FREE else {f"unknown {kind}": 1}


def requested_cpus(objects: Iterable[Mapping[str, Any]]) -> float:
    """CPUs that pods ask for on the general pool, where each Deployment has its replicas."""
    return sum(
        int(one["spec"].get("replicas", 1)) * _pod_cpus(one["spec"]["template"]["spec"])
        for one in objects
        if one["kind"] in ("Deployment", "StatefulSet") and not _is_engine(one)
    )


def claimed_gib(objects: Iterable[Mapping[str, Any]]) -> float:
    """Of disks, which bill whether or not a pod uses them."""
    claims = [
        claim["spec"]
        for one in objects
        for claim in (
            [one]
            if one["kind"] == "PersistentVolumeClaim"
            else one.get("spec", {}).get("volumeClaimTemplates", [])
        )
    ]
    return sum(quantity(one["resources"]["requests"]["storage"]) / 2**30 for one in claims)


def quantity(text: object) -> float:
    """Kubernetes' numbers: 250m, 2, 512Mi, 20Gi."""
    number, unit = re.fullmatch(r"([\d.]+)([a-zA-Z]*)", str(text)).groups()  # type: ignore[union-attr]
    units = {"": 1, "m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return float(number) * units[unit]


def _is_engine(workload: Mapping[str, Any]) -> bool:
    return any(
        "nvidia.com/gpu" in container.get("resources", {}).get("limits", {})
        for container in workload["spec"]["template"]["spec"]["containers"]
    )


def _pod_cpus(pod: Mapping[str, Any]) -> float:
    return math.fsum(
        quantity(container.get("resources", {}).get("requests", {}).get("cpu", 0))
        for container in pod["containers"]
    )


def _alarm(properties: Mapping[str, Any]) -> Amounts:
    metrics = [one for one in properties.get("Metrics", [properties]) if "Expression" not in one]
    periods = [int(one.get("MetricStat", one).get("Period", _FAST_S)) for one in metrics]
    fast = sum(period < _FAST_S for period in periods)
    return {"alarm-metric": len(periods) - fast, "alarm-metric-fast": fast}


def _endpoint(properties: Mapping[str, Any]) -> Amounts:
    """One in each zone."""
    if properties.get("VpcEndpointType") != "Interface":
        return {}
    return {"interface-endpoint": len(properties["SubnetIds"])}


def _instances(properties: Mapping[str, Any], found: Sequence[Resource], *, most: bool) -> Amounts:
    """Fewest: as declared, or what managed scaling goes down to; most: what scaling may reach."""
    return together(
        *(
            {f"sagemaker {variant['InstanceType']}": _count(variant, found, most=most)}
            for variant in properties["ProductionVariants"]
        )
    )


def _count(variant: Mapping[str, Any], found: Sequence[Resource], *, most: bool) -> int:
    if managed := variant.get("ManagedInstanceScaling"):
        return int(managed["MaxInstanceCount" if most else "MinInstanceCount"])
    fewest = int(variant["InitialInstanceCount"])
    if not most:
        return fewest
    reachable = (
        int(one["Properties"]["MaxCapacity"])
        for one in found
        if one["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget"
        and str(one["Properties"]["ResourceId"]).endswith(f"/variant/{variant['VariantName']}")
    )
    return max((fewest, *reachable))


def _acl(properties: Mapping[str, Any]) -> Amounts:
    return {"waf-acl": 1, "waf-rule": len(properties.get("Rules", []))}


def _one(price: str) -> Callable[[Mapping[str, Any]], Amounts]:
    return lambda _: {price: 1}


_BILLED: Final[Mapping[str, Callable[[Mapping[str, Any]], Amounts]]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::EC2::EIP": _one("public-ipv4"),
    "AWS::EC2::NatGateway": _one("nat-gateway"),
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EKS::Cluster": _one("eks-cluster"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _one("load-balancer"),
    "AWS::KMS::Key": _one("kms-key"),
    "AWS::Route53::HostedZone": _one("hosted-zone"),
    "AWS::SecretsManager::Secret": _one("secret"),
    "AWS::WAFv2::WebACL": _acl,
}
