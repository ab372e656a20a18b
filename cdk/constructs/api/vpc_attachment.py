"""How Lambda joins a function to the network: by the function's role, though not by its code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sam as sam
from constructs import Construct

from cdk.constructs.wildcards import acknowledge_resources

_CREATE: Final = "ec2:CreateNetworkInterface"
_CHANGE: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
# Lambda fails to leave the network where this is narrowed to interfaces: AWS's guide says `*/*`.
_LEAVE: Final = "ec2:DeleteNetworkInterface"
_LOOK: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


@dataclass(frozen=True, kw_only=True)
class VpcAttachment:
    """Where functions are in the network, and the group that may reach engines."""

    subnet_ids: Sequence[str]
    group: ec2.ISecurityGroup

    @property
    def config(self) -> sam.CfnFunction.VpcConfigProperty:
        return sam.CfnFunction.VpcConfigProperty(
            security_group_ids=[self.group.security_group_id], subnet_ids=self.subnet_ids
        )

    def rights(self, scope: Construct, function: str) -> list[iam.PolicyStatement]:
        interfaces = _arn(scope, "network-interface", "*")
        places = [
            *(_arn(scope, "subnet", subnet) for subnet in self.subnet_ids),
            _arn(scope, "security-group", self.group.security_group_id),
        ]
        return [
            iam.PolicyStatement(actions=[_CREATE], resources=[interfaces, *places]),
            iam.PolicyStatement(actions=list(_CHANGE), resources=[interfaces]),
            iam.PolicyStatement(actions=[_LEAVE], resources=[_arn(scope, "*", "*")]),
            iam.PolicyStatement(actions=list(_LOOK), resources=["*"]),
            _not_by_its_code(scope, function),
        ]


def acknowledge_attachment(role: iam.Role) -> None:
    stack = Stack.of(role)
    ours = f"arn:aws:ec2:{stack.region}:<AWS::AccountId>"
    acknowledge_resources(
        role,
        ["*", f"{ours}:network-interface/*"],
        "Lambda attaches the function to the network by this role, by interfaces that it makes and "
        "names later, and looks at subnets and interfaces, for which EC2 has no resource level. "
        "The function's own code is denied all of it.",
    )
    acknowledge_resources(
        role,
        [f"{ours}:*/*"],
        "Lambda deletes the interfaces that it made, and is refused where this right names "
        "interfaces only; the action deletes nothing else, and the function's code is denied it.",
    )


def _not_by_its_code(scope: Construct, function: str) -> iam.PolicyStatement:
    """Lambda's own calls don't carry this key; calls of what runs in the function do."""
    arn = Stack.of(scope).format_arn(
        service="lambda",
        resource="function",
        resource_name=function,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=[_CREATE, *_CHANGE, _LEAVE, *_LOOK],
        resources=["*"],
        conditions={"ArnEquals": {"lambda:SourceFunctionArn": arn}},
    )


def _arn(scope: Construct, kind: str, name: str) -> str:
    return Stack.of(scope).format_arn(service="ec2", resource=kind, resource_name=name)
