"""The network of a stage: where nodes, functions and endpoints live, and who may talk to whom."""

from typing import Final

from aws_cdk import Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.constructs.log_groups import log_group
from cdk.constructs.service_trust import only_for_us
from cdk.stages import Stage

FUNCTIONS: Final = "functions"
BALANCERS: Final = "balancers"
# A load balancer takes no subnet smaller than a /27.
_PUBLIC_MASK, _FUNCTIONS_MASK, _BALANCERS_MASK = 28, 26, 27


class Network(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self.vpc = self._build_vpc()
        self.functions_subnets = ec2.SubnetSelection(subnet_group_name=FUNCTIONS)
        self._tag_subnets()
        self._build_flow_log()

    def _build_vpc(self) -> ec2.Vpc:
        """Zones by name: CDK would look them up, which needs credentials."""
        return ec2.Vpc(
            self,
            "Vpc",
            vpc_name=names.prefixed(self._stage, "network"),
            ip_addresses=ec2.IpAddresses.cidr(self._stage.cidr),
            availability_zones=list(self._stage.zones),
            nat_gateways=self._stage.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="nat",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=_PUBLIC_MASK,
                    map_public_ip_on_launch=False,
                ),
                # Without a way out: code that holds callers' prompts can send them nowhere else.
                # All instances of a function share few interfaces, so this is plenty.
                ec2.SubnetConfiguration(
                    name=FUNCTIONS,
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=_FUNCTIONS_MASK,
                ),
                # By these addresses engines tell their load balancer from any other pod.
                ec2.SubnetConfiguration(
                    name=BALANCERS,
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=_BALANCERS_MASK,
                ),
                # The rest, in equal parts: every pod has an address of its own.
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
            ],
            restrict_default_security_group=True,
        )

    @property
    def nat_gateway_ids(self) -> list[str]:
        inside = self.vpc.node.find_all()
        return [one.attr_nat_gateway_id for one in inside if isinstance(one, ec2.CfnNatGateway)]

    def _tag_subnets(self) -> None:
        """How the cluster's load balancing finds where internal load balancers may be."""
        tag = "kubernetes.io/role/internal-elb"
        for subnet in self.vpc.select_subnets(subnet_group_name=BALANCERS).subnets:
            Tags.of(subnet).add(tag, "1")
        for subnet in self.vpc.private_subnets:
            Tags.of(subnet).remove(tag)  # CDK's cluster tags all of these

    def _build_flow_log(self) -> None:
        name = f"/{names.PREFIX}/{self._stage.name}/network-flows"
        self.vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                log_group(self, "FlowLog", self._stage, name), self._build_flow_role()
            ),
            traffic_type=ec2.FlowLogTrafficType.ALL,
            max_aggregation_interval=ec2.FlowLogMaxAggregationInterval.TEN_MINUTES,
        )

    def _build_flow_role(self) -> iam.Role:
        """CDK would make one, for flow logs of anybody's."""
        ours = Stack.of(self).format_arn(service="ec2", resource="vpc-flow-log", resource_name="*")
        return iam.Role(
            self,
            "FlowRole",
            description="Flow logs of this account reach their log group",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com", conditions=only_for_us(self, ours)
            ),
        )
