"""Who may connect to whom: functions to engines and services, engines to nobody of themselves."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.stages import Stage


class SecurityGroups(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage, vpc: ec2.IVpc) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._vpc = vpc
        self.functions = self._build_group("Functions", "Functions of the gateway")
        self.engines = self._build_group("Engines", "The internal load balancer of the engines")
        self._build_way_to_engines()
        self._build_way_to_services()

    def _build_group(self, id_: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, id_, vpc=self._vpc, description=description, allow_all_outbound=False
        )

    def _build_way_to_engines(self) -> None:
        """The load balancer's way on, to pods, comes with whoever puts pods behind it.

        It listens at one of these ports, by whether the stage has a domain. This stack is there
        before that changes, and stays where the change fails.
        """
        for port in map(ec2.Port.tcp, (80, 443)):
            self.engines.add_ingress_rule(self.functions, port, "Engines, from the gateway")
            self.functions.add_egress_rule(self.engines, port, "Engines")

    def _build_way_to_services(self) -> None:
        """A security group can't name a service's addresses without a lookup; the functions'
        subnets, which have routes to the endpoints of this network only, do.
        """
        self.functions.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS services, by the network's endpoints"
        )
