"""How many instances an endpoint has, and what it is scaled by.

Concurrency is the measure: the invocations of a minute say nothing where one takes 0.2 s and
another 40.
"""

from typing import Final

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct, IDependable

from gpu_fleet.engines import Engine

BUSY: Final = 0.7
"""Of the sequences that an engine batches: above it, one more is started before requests queue."""
SCALE_OUT_COOLDOWN_S: Final = 60
SCALE_IN_COOLDOWN_S: Final = 600  # a start takes minutes, so what runs is kept for a while


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
            target_tracking_scaling_policy_configuration=tracking(
                target, predefined_metric_specification=metric
            ),
        )


def tracking(
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
