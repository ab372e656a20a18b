from collections.abc import Iterator, Mapping

from aws_cdk import CfnOutput
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from constructs import Construct

from cdk import names
from cdk.constructs import watched
from cdk.constructs.alarms import Alarms
from cdk.constructs.data.secrets import engine_key
from cdk.constructs.data.weights import grant_load, grant_store
from cdk.constructs.engine_balancer import EngineBalancer, idle_timeout_s
from cdk.constructs.network.network import BALANCERS
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.namespaces import NamespacesStack
from cdk.stacks.network import NetworkStack
from cdk.weights import CHAT_TEMPLATE
from gpu_fleet.manifests import (
    WEIGHTS_ACCOUNT,
    Cluster,
    adapter_prefixes,
    engine_objects,
    model_prefix,
    service_account,
    weights_objects,
)
from gpu_fleet.serving import CONTAINER_PORT


class FleetStack(StageStack):
    """The engines of gpu_fleet, their weights, and the one way to them."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        network: NetworkStack,
        data: DataStack,
        cluster: ClusterStack,
        namespaces: NamespacesStack,
    ) -> None:
        super().__init__(scope, deployment, "fleet")
        self.add_stack_dependency(namespaces)
        self._data = data
        self._cluster = cluster
        balancer = self._build_balancer(network)
        self.load_balancer = balancer.load_balancer
        self.listener = balancer.listener
        groups = {
            name: balancer.add_engine(name, cluster_name=cluster.cluster.cluster_name)
            for name in deployment.fleet.engines
        }
        self._build_way_to_pods(network)
        self._keys = {name: engine_key(self, self.stage, name) for name in deployment.fleet.engines}
        target = self._describe_cluster(network, groups)
        self._build_weights(target)
        for name in deployment.fleet.engines:
            self._build_engine(name, target)
        self.alarms = Alarms(self, "Alarms", stage=self.stage, watched=self._watched(groups))

    def _build_balancer(self, network: NetworkStack) -> EngineBalancer:
        return EngineBalancer(
            self,
            "Balancer",
            self.stage,
            vpc=network.vpc,
            security_group=network.engines_group,
            private_zone=self._build_zone(network),
            access_logs=self._data.access_logs_bucket,
        )

    def _build_zone(self, network: NetworkStack) -> route53.IPrivateHostedZone:
        """A domain's is one more, of this stack alone, so that it may come, change and go."""
        if self.stage.domain is None:
            return network.private_zone
        return route53.PrivateHostedZone(
            self, "EnginesZone", zone_name=names.engines_zone(self.stage), vpc=network.vpc
        )

    def _watched(
        self, groups: Mapping[str, elbv2.ApplicationTargetGroup]
    ) -> Iterator[watched.Watched]:
        balancer = self.load_balancer.load_balancer_full_name
        yield from watched.of_load_balancer(balancer)
        for name, group in groups.items():
            full_name = group.target_group_full_name
            yield watched.of_target_group(name, balancer=balancer, group=full_name)

    def _build_way_to_pods(self, network: NetworkStack) -> None:
        """Pods have the addresses and the security group of the cluster's nodes."""
        pods = self._cluster.cluster.cluster_security_group_id
        ec2.CfnSecurityGroupIngress(
            self,
            "PodsFromBalancer",
            group_id=pods,
            source_security_group_id=network.engines_group.security_group_id,
            ip_protocol="tcp",
            from_port=CONTAINER_PORT,
            to_port=CONTAINER_PORT,
            description="Engines, from their load balancer",
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "BalancerToPods",
            group_id=network.engines_group.security_group_id,
            destination_security_group_id=pods,
            ip_protocol="tcp",
            from_port=CONTAINER_PORT,
            to_port=CONTAINER_PORT,
            description="Engines in their pods",
        )

    def _describe_cluster(
        self, network: NetworkStack, groups: dict[str, elbv2.ApplicationTargetGroup]
    ) -> Cluster:
        subnets = network.vpc.select_subnets(subnet_group_name=BALANCERS).subnets
        return Cluster(
            namespace=names.NAMESPACE,
            region=self.stage.region,
            bucket=self._data.weights_bucket.bucket_name,
            engine_keys={name: key.secret_arn for name, key in self._keys.items()},
            hub_token=self._data.hub_token.secret_arn,
            chat_template=CHAT_TEMPLATE.read_text("utf-8"),
            gpus=self.stage.gpu.limit,
            network=self.stage.cidr,
            services=self.stage.service_cidr,
            balancers=tuple(subnet.ipv4_cidr_block for subnet in subnets),
            target_groups={name: group.target_group_arn for name, group in groups.items()},
            idle_timeout_s=idle_timeout_s(self.stage),
            paused=self.deployment.paused,
        )

    def _build_weights(self, cluster: Cluster) -> None:
        fleet = self.deployment.fleet
        identity = self._cluster.pod_identity(
            self, "WeightsRole", namespace=names.NAMESPACE, service_account=WEIGHTS_ACCOUNT
        )
        prefixes = sorted({model_prefix(engine) for engine in fleet.engines.values()})
        grant_store(identity.role, self._data.weights_bucket, prefixes)
        self._data.hub_token.grant_read(identity.role)
        objects = self._cluster.apply(self, "Weights", *weights_objects(fleet, cluster))
        objects.node.add_dependency(identity)  # pods that start before it get no credentials

    def _build_engine(self, name: str, cluster: Cluster) -> None:
        engine = self.deployment.fleet.engines[name]
        identity = self._cluster.pod_identity(
            self,
            f"{name}-role",
            namespace=names.NAMESPACE,
            service_account=service_account(name),
        )
        prefixes = [model_prefix(engine), *adapter_prefixes(engine)]
        grant_load(identity.role, self._data.weights_bucket, prefixes)
        self._keys[name].grant_read(identity.role)
        objects = self._cluster.apply(
            self, name, *engine_objects(self.deployment.fleet, name, cluster)
        )
        objects.node.add_dependency(identity)  # pods that start before it get no credentials
        host = names.engine_host(self.stage, name)
        CfnOutput(self, f"{name}-url", value=names.url(self.stage, host))
