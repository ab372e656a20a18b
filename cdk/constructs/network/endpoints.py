"""AWS services from within the network: what the functions call, and what moves much data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Annotations, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.constructs.network.network import FUNCTIONS
from cdk.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Service:
    """What may be asked of it through the endpoint, and whether pods ask as well."""

    actions: tuple[str, ...]
    pods: bool


SERVICES: Final[Mapping[str, Service]] = {
    "secretsmanager": Service(
        actions=("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"), pods=True
    ),
    "sagemaker.runtime": Service(
        actions=("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"),
        pods=False,
    ),
}
"""Each bills by the hour and zone. A service that a function in the network calls and that is not
here cannot be reached from it: one more entry."""

BUCKETS_OF_OTHERS: Final[Mapping[str, str]] = {
    "prod-{region}-starport-layer-bucket": "s3:GetObject",  # layers of ECR's images: EKS' own
    "prod-registry-k8s-io-{region}": "s3:GetObject",  # layers of registry.k8s.io
    # Where CDK's functions that apply Kubernetes objects tell how it went, by an address that
    # CloudFormation signs for each: a deploy would wait an hour for the answer.
    "cloudformation-custom-resource-response-{joined}": "s3:PutObject",
}
"""What nodes, pods and CDK's functions beside them may do in S3 outside of the account, and nothing
else: an engine that was taken over carries prompts into no bucket of its master's, but for what an
address of CloudFormation's, signed for such a master, takes. A registry that keeps its layers in a
bucket of this region needs an entry."""
LOOKED_AT: Final = ("us-west-2",)
"""Regions for which that is all. In us-east-1 more registries keep layers in buckets of the region,
Docker Hub and quay.io among them.
"""


class Endpoints(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        vpc: ec2.IVpc,
        functions: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._vpc = vpc
        self._functions = functions
        self._warn_elsewhere()
        self._build_gateways()
        for name, service in SERVICES.items():
            self._build_interface(name, service)

    def _warn_elsewhere(self) -> None:
        region = self._stage.region
        if region not in LOOKED_AT:
            Annotations.of(self).add_warning_v2(
                "llmo:layers-of-images",
                f"nobody looked which registries keep their layers in S3 in {region}: what is not "
                "in BUCKETS_OF_OTHERS (cdk/constructs/network/endpoints.py) can't be pulled",
            )

    def _build_gateways(self) -> None:
        """Free, and what moves much data stays out of the NAT gateways, which are not."""
        nodes = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        functions = ec2.SubnetSelection(subnet_group_name=FUNCTIONS)
        pods = self._build_gateway("NodesS3", ec2.GatewayVpcEndpointAwsService.S3, nodes)
        pods.add_to_policy(self._allow(["s3:*"], "*", "aws:ResourceAccount"))
        for bucket, action in BUCKETS_OF_OTHERS.items():
            pods.add_to_policy(self._pass_to(bucket.format(**self._region), action))
        s3 = self._build_gateway("FunctionsS3", ec2.GatewayVpcEndpointAwsService.S3, functions)
        s3.add_to_policy(
            self._allow(
                ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
                "*",
                "aws:ResourceAccount",  # a bucket's ARN doesn't tell whose it is
            )
        )
        dynamodb = self._build_gateway(
            "DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB, functions, nodes
        )
        tables = Stack.of(self).format_arn(
            service="dynamodb",
            resource="table",
            resource_name=names.prefixed(self._stage, "*"),
        )
        dynamodb.add_to_policy(self._allow(["dynamodb:*"], tables, "aws:PrincipalAccount"))

    def _build_gateway(
        self,
        id_: str,
        service: ec2.IGatewayVpcEndpointService,
        *subnets: ec2.SubnetSelection,
    ) -> ec2.GatewayVpcEndpoint:
        return ec2.GatewayVpcEndpoint(
            self, id_, vpc=self._vpc, service=service, subnets=list(subnets)
        )

    def _allow(self, actions: Sequence[str], resource: str, whose: str) -> iam.PolicyStatement:
        """What may pass; who may do it is said by the caller's role. Credentials of another account
        take nothing out, whatever they may do there.
        """
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=list(actions),
            resources=[resource],
            conditions={"StringEquals": {whose: Stack.of(self).account}},
        )

    @property
    def _region(self) -> Mapping[str, str]:
        """As buckets of others have it in their names."""
        region = self._stage.region
        return {"region": region, "joined": region.replace("-", "")}

    def _pass_to(self, bucket: str, action: str) -> iam.PolicyStatement:
        objects = Stack.of(self).format_arn(
            service="s3", region="", account="", resource=bucket, resource_name="*"
        )
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()], actions=[action], resources=[objects]
        )

    def _build_interface(self, name: str, service: Service) -> None:
        """In as many zones as have a NAT gateway: a stage that saves there saves here."""
        private = self._vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            name,
            vpc=self._vpc,
            service=ec2.InterfaceVpcEndpointAwsService(name),
            subnets=ec2.SubnetSelection(subnets=private.subnets[: self._stage.nat_gateways]),
            security_groups=[self._build_group(name, service)],
            open=False,
            private_dns_enabled=True,
        )
        endpoint.add_to_policy(self._allow(service.actions, "*", "aws:PrincipalAccount"))

    def _build_group(self, name: str, service: Service) -> ec2.ISecurityGroup:
        """The endpoint's name is the service's for the whole network: pods that use it must get in,
        for they have no other way to it.
        """
        group = ec2.SecurityGroup(
            self,
            f"{name}-group",
            vpc=self._vpc,
            description=f"The endpoint of {name}",
            allow_all_outbound=False,
        )
        callers = ec2.Peer.ipv4(self._stage.cidr) if service.pods else self._functions
        group.add_ingress_rule(callers, ec2.Port.tcp(443), f"{name}, from within the network")
        return group
