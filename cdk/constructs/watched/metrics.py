"""What an alarm is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

FIVE_MINUTES: Final = Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Alarms when `metric` is above `threshold` in `of_periods` of `periods` periods, or in all."""

    name: str
    meaning: str
    look: str
    metric: cloudwatch.IMetric
    threshold: float = 0
    periods: int = 1
    of_periods: int | None = None
    on_dashboard: bool = False
    """Then its dimensions are exported to the dashboard's stack: of nothing that may go away."""


def metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    statistic: str = "Sum",
    period: Duration = FIVE_MINUTES,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=period,
    )


def summed(metrics: Mapping[str, cloudwatch.IMetric]) -> cloudwatch.MathExpression:
    """Of metrics that may be silent: a silent one counts as 0."""
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=dict(metrics),
        label="together",
        period=FIVE_MINUTES,
    )
