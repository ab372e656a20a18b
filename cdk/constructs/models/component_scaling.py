"""How many copies a base has that adapters share: down to none, and back when one is called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IDependable

from cdk.constructs.models.endpoint_scaling import SCALE_OUT_COOLDOWN_S, tracking

NAMESPACE: Final = "AWS/SageMaker"
_Policy = scaling.CfnScalingPolicy
_Alarm = cloudwatch.CfnAlarm


@dataclass(frozen=True)
class _Form:
    """CloudFormation's types of a metric: scaling and alarms have their own, of the same shape."""

    query: Callable[..., Any]
    stat: Callable[..., Any]
    metric: Callable[..., Any]
    dimension: Callable[..., Any]


_OF_SCALING: Final = _Form(
    _Policy.TargetTrackingMetricDataQueryProperty,
    _Policy.TargetTrackingMetricStatProperty,
    _Policy.TargetTrackingMetricProperty,
    _Policy.TargetTrackingMetricDimensionProperty,
)
_OF_ALARM: Final = _Form(
    _Alarm.MetricDataQueryProperty,
    _Alarm.MetricStatProperty,
    _Alarm.MetricProperty,
    _Alarm.DimensionProperty,
)


class ComponentScaling(Construct):
    """Calls name the adapter's component or the base's, so metrics of all of them are added."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        base: str,
        components: Sequence[str],
        most: int,
        target: float,
        after: IDependable,
    ) -> None:
        super().__init__(scope, id)
        self._components = components
        self._target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:inference-component:DesiredCopyCount",
            resource_id=f"inference-component/{base}",
            min_capacity=0,
            max_capacity=most,
        )
        self._target.node.add_dependency(after)
        self._build_tracking(target)
        self._build_waking()

    def _build_tracking(self, target: float) -> None:
        metrics = self._added(_OF_SCALING, "ConcurrentRequestsPerCopy", stat="Average")
        _Policy(
            self,
            "Policy",
            policy_name="concurrency",
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.ref,
            target_tracking_scaling_policy_configuration=tracking(
                target,
                customized_metric_specification=_Policy.CustomizedMetricSpecificationProperty(
                    metrics=metrics
                ),
            ),
        )

    def _build_waking(self) -> None:
        """A call without any copy fails, and starts one."""
        step = _Policy.StepAdjustmentProperty(metric_interval_lower_bound=0, scaling_adjustment=1)
        policy = _Policy(
            self,
            "Wake",
            policy_name="wake",
            policy_type="StepScaling",
            scaling_target_id=self._target.ref,
            step_scaling_policy_configuration=_Policy.StepScalingPolicyConfigurationProperty(
                adjustment_type="ChangeInCapacity",
                metric_aggregation_type="Maximum",
                cooldown=SCALE_OUT_COOLDOWN_S,
                step_adjustments=[step],
            ),
        )
        _Alarm(
            self,
            "NoCapacity",
            alarm_description="A model was called that has no copy: one is started",
            metrics=self._added(
                _OF_ALARM, "NoCapacityInvocationFailures", stat="Maximum", period=30
            ),
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[policy.ref],
        )

    def _added(self, form: _Form, metric: str, **stat: Any) -> list[Any]:  # noqa: ANN401  (either's)
        """One metric of every component, and their sum."""
        parts = {
            f"m{number}": form.metric(
                namespace=NAMESPACE,
                metric_name=metric,
                dimensions=[form.dimension(name="InferenceComponentName", value=component)],
            )
            for number, component in enumerate(self._components)
        }
        total = " + ".join(f"FILL({part}, 0)" for part in parts)
        return [
            *(
                form.query(
                    id=part, return_data=False, metric_stat=form.stat(metric=measured, **stat)
                )
                for part, measured in parts.items()
            ),
            form.query(id="total", expression=total, return_data=True),
        ]
