from aws_cdk import aws_route53 as route53
from constructs import Construct

from cdk import names
from cdk.constructs.alarms import Alarms
from cdk.constructs.network.endpoints import Endpoints
from cdk.constructs.network.groups import SecurityGroups
from cdk.constructs.network.network import Network
from cdk.constructs.watched import of_nat
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack


class NetworkStack(StageStack):
    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "network")
        network = Network(self, "Network", stage=self.stage)
        self.vpc = network.vpc
        self.functions_subnets = network.functions_subnets
        groups = SecurityGroups(self, "Groups", stage=self.stage, vpc=self.vpc)
        self.functions_group = groups.functions
        self.engines_group = groups.engines
        Endpoints(self, "Endpoints", stage=self.stage, vpc=self.vpc, functions=self.functions_group)
        self.private_zone = route53.PrivateHostedZone(
            self, "PrivateZone", zone_name=names.private_zone(self.stage), vpc=self.vpc
        )
        # A fleet with a domain has no use for it; the one before, that has none, still imports it.
        self.export_value(self.private_zone.hosted_zone_id)
        self.alarms = Alarms(
            self, "Alarms", stage=self.stage, watched=of_nat(network.nat_gateway_ids)
        )
