"""CloudWatch's alarms: for what lives outside of the cluster, and a dashboard of the same."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.constructs.alarm_metrics import Watched

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
        prefix: str,
        topic: sns.ITopic,
        watched: Iterable[Watched],
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._action = actions.SnsAction(topic)
        self.watched = tuple(watched)
        self.alarms = [self._build_alarm(one) for one in self.watched]
        self._build_dashboard()

    def _build_alarm(self, one: Watched) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            one.name,
            alarm_name=f"{self._prefix}-{one.name}",
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
        return alarm

    def _build_dashboard(self) -> None:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{self._prefix}-aws")
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self.alarms, width=24, height=6)
        )
        graphs = [self._graph(one) for one in self.watched if one.on_dashboard]
        for first in range(0, len(graphs), _PER_ROW):
            dashboard.add_widgets(*graphs[first : first + _PER_ROW])

    @staticmethod
    def _graph(one: Watched) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title=one.name,
            left=[one.metric],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=one.threshold)],
            width=24 // _PER_ROW,
        )
