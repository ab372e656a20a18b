"""How many instances, or copies, an endpoint has.

Concurrency is the measure: the invocations of a minute say nothing where one takes 0.2 s and
another 40.
"""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IDependable

from gpu_fleet.engines import Engine

BUSY: Final = 0.7
"""Of the sequences that an engine batches: above it, one more is started before requests queue."""
SCALE_OUT_COOLDOWN_S: Final = 60
SCALE_IN_COOLDOWN_S: Final = 600  # a start takes minutes, so what runs is kept for a while
NAMESPACE: Final = "AWS/SageMaker"


def concurrency_target(engine: Engine) -> float:
    return engine.max_num_seqs * BUSY


class VariantScaling(Construct):
    """Of a production variant: never below what it was declared with, so never zero."""

    def __init__(  # noqa: PLR0913  (one value each)
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        endpoint: str,
        variant: str,
        fewest: int,
        most: int,
        target: float,
        after: IDependable,
    ) -> None:
        super().__init__(scope, id)
        scaled = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint}/variant/{variant}",
            min_capacity=fewest,
            max_capacity=most,
        )
        scaled.node.add_dependency(after)
        metric = scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
            predefined_metric_type="SageMakerVariantConcurrentRequestsPerModelHighResolution"
        )
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="concurrency",
            policy_type="TargetTrackingScaling",
            scaling_target_id=scaled.ref,
            target_tracking_scaling_policy_configuration=_tracking(
                target, predefined_metric_specification=metric
            ),
        )


class ComponentScaling(Construct):
    """Of a base that adapters share: down to zero copies, and back when one is called.

    Calls name the adapter's component or the base's, so metrics of all of them are added.
    """

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
        query = scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty
        metrics = [
            query(
                id=f"m{number}",
                return_data=False,
                metric_stat=scaling.CfnScalingPolicy.TargetTrackingMetricStatProperty(
                    stat="Average",
                    metric=scaling.CfnScalingPolicy.TargetTrackingMetricProperty(
                        namespace=NAMESPACE,
                        metric_name="ConcurrentRequestsPerCopy",
                        dimensions=[
                            scaling.CfnScalingPolicy.TargetTrackingMetricDimensionProperty(
                                name="InferenceComponentName", value=component
                            )
                        ],
                    ),
                ),
            )
            for number, component in enumerate(self._components)
        ]
        total = query(id="total", expression=self._sum(), return_data=True)
        specification = scaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty(
            metrics=[*metrics, total]
        )
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="concurrency",
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.ref,
            target_tracking_scaling_policy_configuration=_tracking(
                target, customized_metric_specification=specification
            ),
        )

    def _build_waking(self) -> None:
        """A call without any copy fails, and starts one."""
        step = scaling.CfnScalingPolicy.StepAdjustmentProperty(
            metric_interval_lower_bound=0, scaling_adjustment=1
        )
        policy = scaling.CfnScalingPolicy(
            self,
            "Wake",
            policy_name="wake",
            policy_type="StepScaling",
            scaling_target_id=self._target.ref,
            step_scaling_policy_configuration=(
                scaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty(
                    adjustment_type="ChangeInCapacity",
                    metric_aggregation_type="Maximum",
                    cooldown=SCALE_OUT_COOLDOWN_S,
                    step_adjustments=[step],
                )
            ),
        )
        query = cloudwatch.CfnAlarm.MetricDataQueryProperty
        metrics = [
            query(
                id=f"m{number}",
                return_data=False,
                metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                    period=30,
                    stat="Maximum",
                    metric=cloudwatch.CfnAlarm.MetricProperty(
                        namespace=NAMESPACE,
                        metric_name="NoCapacityInvocationFailures",
                        dimensions=[
                            cloudwatch.CfnAlarm.DimensionProperty(
                                name="InferenceComponentName", value=component
                            )
                        ],
                    ),
                ),
            )
            for number, component in enumerate(self._components)
        ]
        cloudwatch.CfnAlarm(
            self,
            "NoCapacity",
            alarm_description="A model was called that has no copy: one is started",
            metrics=[*metrics, query(id="total", expression=self._sum(), return_data=True)],
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[policy.ref],
        )

    def _sum(self) -> str:
        return " + ".join(f"FILL(m{number}, 0)" for number in range(len(self._components)))


def _tracking(
    target: float,
    *,
    predefined_metric_specification: (
        scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty | None
    ) = None,
    customized_metric_specification: (
        scaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty | None
    ) = None,
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    return scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=target,
        scale_out_cooldown=SCALE_OUT_COOLDOWN_S,
        scale_in_cooldown=SCALE_IN_COOLDOWN_S,
        predefined_metric_specification=predefined_metric_specification,
        customized_metric_specification=customized_metric_specification,
    )
