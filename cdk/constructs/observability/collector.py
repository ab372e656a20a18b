"""The gateway's way to the OpenTelemetry collector: the engines' load balancer, one more host."""

from typing import Final

from aws_cdk import Duration, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from cdk import names
from cdk.kubernetes.observability.collector import HEALTH, OTLP_HTTP
from cdk.stages import Stage

PRIORITY: Final = 10  # below those of engines, which begin at 100
PATHS: Final = ("/v1/traces",)


class CollectorEntry(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: Stage,
        *,
        load_balancer: elbv2.ApplicationLoadBalancer,
        listener: elbv2.IApplicationListener,
        cluster: eks.Cluster,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self.target_group = self._build_target_group(load_balancer, cluster.cluster_name)
        self.rule = self._build_rule(listener)
        [group] = load_balancer.connections.security_groups
        self._build_way_to_pods(group.security_group_id, cluster.cluster_security_group_id)

    def _build_target_group(
        self, load_balancer: elbv2.ApplicationLoadBalancer, cluster_name: str
    ) -> elbv2.ApplicationTargetGroup:
        group = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=load_balancer.vpc,
            target_type=elbv2.TargetType.IP,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=OTLP_HTTP,
            deregistration_delay=Duration.seconds(10),  # an export takes milliseconds
            health_check=elbv2.HealthCheck(
                path="/",
                port=str(HEALTH),
                interval=Duration.seconds(15),
                timeout=Duration.seconds(5),
            ),
        )
        # The cluster's own role may register targets only in groups with this tag.
        Tags.of(group).add("eks:eks-cluster-name", cluster_name)
        return group

    def _build_rule(self, listener: elbv2.IApplicationListener) -> elbv2.ApplicationListenerRule:
        return elbv2.ApplicationListenerRule(
            self,
            "Rule",
            listener=listener,
            priority=PRIORITY,
            conditions=[
                elbv2.ListenerCondition.host_headers([names.collector_host(self._stage)]),
                elbv2.ListenerCondition.path_patterns(list(PATHS)),
                elbv2.ListenerCondition.http_request_methods(["POST"]),
            ],
            action=elbv2.ListenerAction.forward([self.target_group]),
        )

    def _build_way_to_pods(self, balancer: str, pods: str) -> None:
        """Pods have the security group of the cluster's nodes."""
        for purpose, port in {"Otlp": OTLP_HTTP, "Health": HEALTH}.items():
            ec2.CfnSecurityGroupIngress(
                self,
                f"{purpose}ToPods",
                group_id=pods,
                source_security_group_id=balancer,
                description="Collector, from the load balancer",
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
            )
            ec2.CfnSecurityGroupEgress(
                self,
                f"{purpose}FromBalancer",
                group_id=balancer,
                destination_security_group_id=pods,
                description="Collector in its pods",
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
            )
