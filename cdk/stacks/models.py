from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk import names
from cdk.constructs.log_groups import log_group
from cdk.constructs.models.component_endpoint import ComponentEndpoint
from cdk.constructs.models.endpoint_role import EndpointRole, Place
from cdk.constructs.models.variant_endpoint import VariantEndpoint
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.data import DataStack
from cdk.stacks.network import NetworkStack
from cdk.team_endpoints import TeamEndpoint, team_endpoints


class ModelsStack(StageStack):
    """The teams' SageMaker endpoints. Without them roles, logs and the group stay: all free."""

    def __init__(
        self, scope: Construct, deployment: Deployment, *, network: NetworkStack, data: DataStack
    ) -> None:
        super().__init__(scope, deployment, "models")
        teams = team_endpoints(deployment)
        running = teams if deployment.sagemaker else []
        self.endpoint_names: tuple[str, ...] = tuple(team.deployed_name for team in running)
        self._place = Place(
            vpc=network.vpc,
            group=self._build_group(network.vpc),
            weights=data.weights_bucket,
            region=self.stage.region,
        )
        roles = {team.name: self._build_role(team) for team in teams}
        for team in running:
            kind = ComponentEndpoint if team.base else VariantEndpoint
            kind(self, team.name, team, roles[team.name])

    def _build_group(self, vpc: ec2.IVpc) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=vpc,
            security_group_name=names.prefixed(self.stage, "sagemaker"),
            description="SageMaker model containers. Nobody reaches them, they reach S3",
            allow_all_outbound=False,
        )
        group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "S3, whose addresses are public and change"
        )
        return group

    def _build_role(self, team: TeamEndpoint) -> EndpointRole:
        groups = [
            log_group(self, f"{team.name}Log{number}", self.stage, name)
            for number, name in enumerate(team.logs)
        ]
        return EndpointRole(
            self,
            f"{team.name}Role",
            place=self._place,
            objects=team.objects,
            log_groups=[group.log_group_arn for group in groups],
        )
