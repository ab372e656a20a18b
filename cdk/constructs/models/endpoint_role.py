"""What SageMaker may do for one endpoint: read its weights, pull its image, join the network."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.constructs.wildcards import acknowledge_objects, acknowledge_resources
from cdk.serving_container import REPOSITORY, image_account


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where containers run, and from where they get weights."""

    vpc: ec2.IVpc
    group: ec2.ISecurityGroup
    weights: s3.IBucket
    region: str

    @property
    def subnets(self) -> list[str]:
        return [subnet.subnet_id for subnet in self.vpc.private_subnets]


class EndpointRole(Construct):
    """`place` is where the endpoint will run."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        place: Place,
        objects: Sequence[str],
        log_groups: Sequence[str],
    ) -> None:
        """`objects` are keys in the bucket: `models/x/*`, `adapters/y.tar.gz`."""
        super().__init__(scope, id)
        self.place = place
        self.role = iam.Role(
            self,
            "Role",
            description="SageMaker, for one endpoint",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
        )
        statements = [
            *self._read(objects),
            *self._pull(),
            *self._log(log_groups),
            *self._join(),
        ]
        self.policy = iam.Policy(self, "Policy", statements=statements, roles=[self.role])
        self._acknowledge(objects)

    def _read(self, objects: Sequence[str]) -> list[iam.PolicyStatement]:
        bucket = self.place.weights
        keys = [bucket.arn_for_objects(key) for key in objects]
        listed = {"StringLike": {"s3:prefix": list(objects)}}
        statements = [
            _allow(["s3:GetObject"], keys),
            iam.PolicyStatement(
                actions=["s3:ListBucket"], resources=[bucket.bucket_arn], conditions=listed
            ),
        ]
        key = bucket.encryption_key
        return [*statements, _allow(["kms:Decrypt"], [key.key_arn])] if key else statements

    def _pull(self) -> list[iam.PolicyStatement]:
        """The repository is AWS's own; the token is good for nothing else than what it allows."""
        region = self.place.region
        repository = Stack.of(self).format_arn(
            service="ecr",
            region=region,
            account=image_account(region),
            resource="repository",
            resource_name=REPOSITORY,
        )
        pull = ["BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"]
        return [
            _allow([f"ecr:{action}" for action in pull], [repository]),
            _allow(["ecr:GetAuthorizationToken"], ["*"]),
        ]

    def _log(self, log_groups: Sequence[str]) -> list[iam.PolicyStatement]:
        metrics = {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}
        return [
            _allow(
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                list(log_groups),
            ),
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"], resources=["*"], conditions=metrics
            ),
        ]

    def _join(self) -> list[iam.PolicyStatement]:
        """Network interfaces in these subnets with this group, and in no other network."""
        vpc = self._arn("vpc", self.place.vpc.vpc_id)
        interfaces = self._arn("network-interface", "*")
        ours = {"ArnEquals": {"ec2:Vpc": vpc}}
        described = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
        return [
            _allow(
                ["ec2:CreateNetworkInterface"],
                [
                    interfaces,
                    self._arn("security-group", self.place.group.security_group_id),
                    *(self._arn("subnet", subnet) for subnet in self.place.subnets),
                ],
            ),
            iam.PolicyStatement(
                actions=[
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                resources=[interfaces],
                conditions=ours,
            ),
            _allow([f"ec2:Describe{what}" for what in described], ["*"]),
        ]

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(service="ec2", resource=resource, resource_name=name)

    def _acknowledge(self, objects: Sequence[str]) -> None:
        interfaces = f"arn:aws:ec2:{self.place.region}:<AWS::AccountId>:"
        acknowledge_resources(
            self.policy,
            ["*"],
            "ecr:GetAuthorizationToken, cloudwatch:PutMetricData (in SageMaker's namespaces only) "
            "and ec2:Describe* have no resource level.",
        )
        acknowledge_resources(
            self.policy,
            [f"{interfaces}network-interface/*"],
            "SageMaker makes the interfaces, so their ids are not known; it may make them in these "
            "subnets with this group only, and remove them in this network only.",
        )
        acknowledge_objects(
            self.policy,
            self.place.weights,
            [key for key in objects if key.endswith("*")],
            "All files of one revision of one model, whose names the model hub gives.",
        )


def _allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
