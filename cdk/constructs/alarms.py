"""CloudWatch's alarms: for what lives outside of the cluster, and a dashboard of the same.

An alarm is in the stack of what it watches: what a stack exports can't go away while another uses
it, so an engine that another stack watched could never be removed. Stacks meet by names alone.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk import names
from cdk.constructs.watched import Watched
from cdk.stages import Stage

TOPIC: Final = "alarms"
_PER_ROW: Final = 3


class Alarms(Construct):
    """Silence is no breach: errors and throttles are written only when there are any, latencies
    only when somebody asks, and a paused stage does neither.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        watched: Iterable[Watched],
        topic: sns.ITopic | None = None,
    ) -> None:
        """Without `topic` it is the stage's, by name: it may be made later than its alarms."""
        super().__init__(scope, construct_id)
        self._prefix = names.prefixed(stage, "alarm")
        self._action = actions.SnsAction(topic or self._named_topic(stage))
        self.watched = tuple(watched)
        self.names = tuple(self._name(one) for one in self.watched)
        for one in self.watched:
            self._build_alarm(one)

    def _named_topic(self, stage: Stage) -> sns.ITopic:
        arn = Stack.of(self).format_arn(service="sns", resource=names.prefixed(stage, TOPIC))
        return sns.Topic.from_topic_arn(self, "Topic", arn)

    def _name(self, one: Watched) -> str:
        return f"{self._prefix}-{one.name}"

    def _build_alarm(self, one: Watched) -> None:
        alarm = cloudwatch.Alarm(
            self,
            one.name,
            alarm_name=self._name(one),
            alarm_description=f"{one.meaning} First: {one.look}",
            metric=one.metric,
            threshold=one.threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=one.periods,
            datapoints_to_alarm=one.of_periods or one.periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)


class AlarmDashboard(Construct):
    """The state of every alarm, wherever it is made, and graphs of `watched`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        alarms: Iterable[str],
        watched: Iterable[Watched],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.prefixed(stage, "alarm-aws")
        )
        states = [self._named(name) for name in alarms]
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=states, width=24, height=6)
        )
        graphs = [self._graph(one) for one in watched if one.on_dashboard]
        for first in range(0, len(graphs), _PER_ROW):
            dashboard.add_widgets(*graphs[first : first + _PER_ROW])

    def _named(self, name: str) -> cloudwatch.IAlarm:
        arn = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return cloudwatch.Alarm.from_alarm_arn(self, name, arn)

    @staticmethod
    def _graph(one: Watched) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title=one.name,
            left=[one.metric],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=one.threshold)],
            width=24 // _PER_ROW,
        )
