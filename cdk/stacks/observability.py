from collections.abc import Iterator

from constructs import Construct

from cdk import names
from cdk.constructs import watched
from cdk.constructs.alarms import AlarmDashboard, Alarms
from cdk.constructs.network.network import BALANCERS
from cdk.constructs.observability.collector import CollectorEntry
from cdk.constructs.observability.event_rules import EventRules
from cdk.constructs.observability.topic import AlarmTopic
from cdk.constructs.observability.workloads import Workloads
from cdk.deployment import Deployment
from cdk.kubernetes.observability.settings import Settings
from cdk.stacks.api import ApiStack
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.fleet import FleetStack
from cdk.stacks.harness import HarnessStack
from cdk.stacks.models import ModelsStack
from cdk.stacks.namespaces import NamespacesStack
from cdk.stacks.network import NetworkStack

_ENDPOINT_S = 60  # InvokeEndpoint waits no longer


class ObservabilityStack(StageStack):
    """What sees the platform: telemetry in the cluster, CloudWatch's alarms elsewhere.

    It comes last, so it tells the version.
    """

    def __init__(  # noqa: PLR0913  (it comes last, and sees everything)
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        network: NetworkStack,
        data: DataStack,
        cluster: ClusterStack,
        namespaces: NamespacesStack,
        fleet: FleetStack,
        models: ModelsStack,
        api: ApiStack,
        harness: HarnessStack,
    ) -> None:
        super().__init__(scope, deployment, "observability")
        self.add_stack_dependency(namespaces)
        self._alarm_topic = AlarmTopic(self, "Topic", self.stage)
        self.topic = self._alarm_topic.topic
        self._rules = EventRules(self, "Rules", deployment=deployment, topic=self._alarm_topic)
        self._collector = self._build_collector(cluster, fleet)
        self._build_workloads(network, cluster, data)
        self.alarms = Alarms(
            self,
            "Alarms",
            stage=self.stage,
            topic=self.topic,
            watched=[
                *self._of_gateway(api),
                self._of_collector(fleet),
                *self._of_data(data),
                *self._of_runs(harness),
                *self._of_endpoints(models),
                *self._of_events(),
            ],
        )
        self._build_dashboard(network.alarms, fleet.alarms, self.alarms)
        self.publish("version", self.deployment.version, "What was deployed last, as git names it")

    def _build_collector(self, cluster: ClusterStack, fleet: FleetStack) -> CollectorEntry:
        return CollectorEntry(
            self,
            "Collector",
            self.stage,
            load_balancer=fleet.load_balancer,
            listener=fleet.listener,
            cluster=cluster.cluster,
        )

    def _build_workloads(
        self, network: NetworkStack, cluster: ClusterStack, data: DataStack
    ) -> None:
        balancers = network.vpc.select_subnets(subnet_group_name=BALANCERS).subnets
        workloads = Workloads(
            self,
            "Workloads",
            cluster=cluster,
            settings=Settings(
                region=self.stage.region,
                cidr=self.stage.cidr,
                balancers=tuple(subnet.ipv4_cidr_block for subnet in balancers),
                service_cidr=self.stage.service_cidr,
                topic_arn=self.topic.topic_arn,
                grafana_secret_arn=data.grafana_admin.secret_arn,
                collector_target_group_arn=self._collector.target_group.target_group_arn,
                gpus=self.stage.gpu.limit,
                paused=self.deployment.paused,
            ),
        )
        workloads.grant(password=data.grafana_admin, topic=self._alarm_topic)
        # Targets are health-checked only once a listener sends to their group.
        workloads.node.add_dependency(self._collector.rule)

    def _build_dashboard(self, *parts: Alarms) -> None:
        AlarmDashboard(
            self,
            "Dashboard",
            stage=self.stage,
            alarms=[name for part in parts for name in part.names],
            watched=[one for part in parts for one in part.watched],
        )

    def _of_gateway(self, api: ApiStack) -> Iterator[watched.Watched]:
        timeout_s = self.stage.integration_timeout_s
        yield from watched.of_api(api.api_name, self.stage.name, timeout_s=timeout_s)
        for part, function in api.functions.items():
            yield from watched.of_function(part, function.name, seldom=function.seldom)
            if not function.seldom:  # else running out of time is told as its error
                yield watched.of_duration(part, function.name, timeout_s=function.timeout_s)
        log = f"/aws/lambda/{api.functions['key-expiry'].name}"
        yield watched.of_keys(self.stage.name, log=log)
        firewall = names.prefixed(self.stage, "api")
        dimensions = {"WebACL": firewall, "Rule": "ALL", "Region": self.stage.region}
        yield watched.of_firewall(dimensions)

    def _of_collector(self, fleet: FleetStack) -> watched.Watched:
        return watched.of_target_group(
            "collector",
            balancer=fleet.load_balancer.load_balancer_full_name,
            group=self._collector.target_group.target_group_full_name,
        )

    @staticmethod
    def _of_data(data: DataStack) -> Iterator[watched.Watched]:
        tables = {"keys": data.keys_table, "routing": data.routing_table, "audit": data.audit_table}
        for part, table in tables.items():
            yield from watched.of_table(part, table.table_name)

    @staticmethod
    def _of_runs(harness: HarnessStack) -> Iterator[watched.Watched]:
        for part, name in harness.functions.items():
            yield from watched.of_function(part.replace("_", "-"), name)
        yield from watched.of_state_machine(harness.state_machine.state_machine_arn)

    def _of_events(self) -> Iterator[watched.Watched]:
        yield watched.of_spot(self._rules.counting_spot, machines=self.stage.gpu.limit)
        yield watched.of_rules(self._rules.telling)

    def _of_endpoints(self, models: ModelsStack) -> Iterator[watched.Watched]:
        """None while the stage is paused or has none."""
        for name, entry in self.deployment.endpoints.items():
            deployed = names.endpoint(self.stage, name)
            if deployed in models.endpoint_names:
                for variant in entry.variants:
                    yield from watched.of_endpoint(name, deployed, variant, timeout_s=_ENDPOINT_S)
