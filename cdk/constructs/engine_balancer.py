"""The one way to engines: an internal load balancer that knows hosts and paths."""

from hashlib import sha256
from typing import Final

from aws_cdk import Duration, Stack, Tags
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from cdk import names
from cdk.constructs.network.network import BALANCERS
from cdk.stages import Domain, Stage
from gpu_fleet.serving import CONTAINER_PORT

# What the gateway asks. An engine has more (adapters can be loaded at run time, sleep, metrics),
# and none of it leaves the cluster. With the host these are five values, the most a rule takes.
PATHS: Final = ("/v1/chat/completions", "/v1/completions", "/v1/models", "/health")
# Priorities follow from names alone: in the file's order an engine put between two others would
# move the rules after it, and a rule can't move to a priority that another still has.
_FIRST_PRIORITY: Final = 100
_PRIORITIES: Final = 49_000
_LOGS: Final = "engines"


def idle_timeout_s(stage: Stage) -> int:
    """An engine says nothing until a whole answer is there, so silence is no sign of death."""
    return stage.integration_timeout_s + 10


def rule_priority(engine: str) -> int:
    return _FIRST_PRIORITY + int.from_bytes(sha256(engine.encode()).digest()[:8]) % _PRIORITIES


class EngineBalancer(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: Stage,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        private_zone: route53.IPrivateHostedZone,
        access_logs: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._vpc = vpc
        self._private_zone = private_zone
        self.load_balancer = self._build_load_balancer(security_group, access_logs)
        self.listener = self._build_listener()
        # Others put the collector behind it; what names it is here, where the zone is.
        self._build_record("collector", names.collector_host(stage))

    def _build_load_balancer(
        self, security_group: ec2.ISecurityGroup, access_logs: s3.IBucket
    ) -> elbv2.ApplicationLoadBalancer:
        balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self._vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name=BALANCERS),
            internet_facing=False,
            security_group=security_group,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.STRICTEST,
            idle_timeout=Duration.seconds(idle_timeout_s(self._stage)),
        )
        self._log_access(balancer, access_logs)
        return balancer

    def _log_access(self, balancer: elbv2.ApplicationLoadBalancer, bucket: s3.IBucket) -> None:
        """By hand: CDK would let a second service write, for anybody, by which no such balancer
        writes. Newer regions have a service in the place of the balancers' own account.
        """
        for name, value in {
            "enabled": "true",
            "bucket": bucket.bucket_name,
            "prefix": _LOGS,
        }.items():
            balancer.set_attribute(f"access_logs.s3.{name}", value)
        account = RegionInfo.get(self._stage.region).elbv2_account
        # Balancers choose the path by whose they are, so it keeps others' logs out.
        ours = bucket.arn_for_objects(f"{_LOGS}/AWSLogs/{Stack.of(self).account}/*")
        writer = (
            iam.AccountPrincipal(account)
            if account
            else iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(actions=["s3:PutObject"], principals=[writer], resources=[ours])
        )

    def _build_listener(self) -> elbv2.ApplicationListener:
        domain = self._stage.domain
        return self.load_balancer.add_listener(
            "Listener",
            port=443 if domain else 80,
            protocol=elbv2.ApplicationProtocol.HTTPS if domain else elbv2.ApplicationProtocol.HTTP,
            certificates=[self._build_certificate(domain)] if domain else None,
            ssl_policy=elbv2.SslPolicy.TLS13_13 if domain else None,
            open=False,  # who may come in is the security group's to say
            default_action=elbv2.ListenerAction.fixed_response(404),
        )

    def _build_certificate(self, domain: Domain) -> acm.ICertificate:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self,
            "PublicZone",
            hosted_zone_id=domain.hosted_zone_id,
            zone_name=domain.hosted_zone_name,
        )
        return acm.Certificate(
            self,
            "Certificate",
            domain_name=f"*.{names.engines_zone(self._stage)}",
            validation=acm.CertificateValidation.from_dns(zone),
        )

    def add_engine(self, name: str, *, cluster_name: str) -> elbv2.ApplicationTargetGroup:
        """A host's rule, its record, and the group that the cluster fills with pods."""
        host = names.engine_host(self._stage, name)
        group = self._build_target_group(name, cluster_name)
        elbv2.ApplicationListenerRule(
            self,
            f"{name}-rule",
            listener=self.listener,
            priority=rule_priority(name),
            conditions=[
                elbv2.ListenerCondition.host_headers([host]),
                elbv2.ListenerCondition.path_patterns(list(PATHS)),
            ],
            action=elbv2.ListenerAction.forward([group]),
        )
        self._build_record(name, host)
        return group

    def _build_record(self, name: str, host: str) -> None:
        route53.ARecord(
            self,
            f"{name}-record",
            zone=self._private_zone,
            record_name=f"{host}.",
            target=route53.RecordTarget.from_alias(targets.LoadBalancerTarget(self.load_balancer)),
        )

    def _build_target_group(self, name: str, cluster_name: str) -> elbv2.ApplicationTargetGroup:
        group = elbv2.ApplicationTargetGroup(
            self,
            f"{name}-targets",
            vpc=self._vpc,
            target_type=elbv2.TargetType.IP,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=CONTAINER_PORT,
            # The pod with the fewest requests, not the next: one may hold long generations. (It
            # excludes a slow start, which is for caches that an engine warms before it is ready.)
            load_balancing_algorithm_type=(
                elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS
            ),
            deregistration_delay=Duration.seconds(60),
            health_check=elbv2.HealthCheck(
                path="/health",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        # The cluster's own role may register targets only in groups with this tag.
        Tags.of(group).add("eks:eks-cluster-name", cluster_name)
        return group
