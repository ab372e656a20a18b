"""What CloudWatch watches: each a metric, a limit, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

FIVE_MINUTES: Final = Duration.minutes(5)
_EVENTS: Final = "AWS/Events"
_TABLE_CALLS: Final = ("GetItem", "PutItem", "UpdateItem", "Query", "Scan")


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


def of_api(name: str, stage: str, *, timeout_s: int) -> Iterator[Watched]:
    dimensions = {"ApiName": name, "Stage": stage}
    yield Watched(
        name="api-5xx-ratio",
        meaning="More than 5 % of requests, of at least 20, ended in a 5xx in 5 minutes.",
        look="the access log by status, then the gateway's log by correlation id.",
        metric=cloudwatch.MathExpression(
            # A single failure at night is no ratio.
            expression="IF(requests >= 20, 100 * failures / requests, 0)",
            using_metrics={
                "failures": metric("AWS/ApiGateway", "5XXError", dimensions),
                "requests": metric("AWS/ApiGateway", "Count", dimensions),
            },
            label="5xx, % of requests",
            period=FIVE_MINUTES,
        ),
        threshold=5,
        periods=3,
        of_periods=2,
        on_dashboard=True,
    )
    yield Watched(
        name="api-latency-p99",
        meaning=f"One request in a hundred takes over 80 % of the {timeout_s} s that it may take.",
        look="queues and first-token times of engines (Grafana, Fleet).",
        metric=metric("AWS/ApiGateway", "Latency", dimensions, statistic="p99"),
        threshold=timeout_s * 1000 * 0.8,
        periods=3,
        on_dashboard=True,
    )


def of_function(part: str, name: str, *, seldom: bool = False) -> Iterator[Watched]:
    """`seldom`: it runs so rarely that each failure counts."""
    dimensions = {"FunctionName": name}
    often = "" if seldom else " more than 3 times in 5 minutes"
    yield Watched(
        name=f"{part}-errors",
        meaning=f"The function {part} failed or ran out of time{often}.",
        look=f"/aws/lambda/{name}: errors that the code itself did not expect.",
        metric=metric("AWS/Lambda", "Errors", dimensions),
        threshold=0 if seldom else 3,
        on_dashboard=part == "gateway",
    )
    yield Watched(
        name=f"{part}-throttles",
        meaning=f"Lambda refused to run {part}: the account's concurrency is used up.",
        look="concurrent executions of the region; ask for a higher quota.",
        metric=metric("AWS/Lambda", "Throttles", dimensions),
        periods=1 if seldom else 2,
    )


def of_duration(part: str, name: str, *, timeout_s: int) -> Watched:
    return Watched(
        name=f"{part}-duration",
        meaning=f"{part} ran for over 90 % of its {timeout_s} s; at the end callers get nothing.",
        look="timeouts of teams (gateway.toml), and which target is slow.",
        metric=metric("AWS/Lambda", "Duration", {"FunctionName": name}, statistic="Maximum"),
        threshold=timeout_s * 1000 * 0.9,
        periods=3,
        of_periods=2,
    )


def of_keys(stage: str, *, log: str) -> Watched:
    """Written once a day: of two days one tells, so that no gap between two looks ends it."""
    return Watched(
        name="keys-expiring",
        meaning="An API key ends within 14 days; who uses it then gets 401.",
        look=f"'key expires soon' in {log}: make its holder a new key, or disable it.",
        metric=metric(
            "LlmOptimizationPlatform",
            "KeysExpiring",
            {"service": "gateway", "stage": stage},
            statistic="Maximum",
            period=Duration.days(1),
        ),
        periods=2,
        of_periods=1,
    )


def of_spot(rule: str, *, machines: int) -> Watched:
    return Watched(
        name="spot-reclaims",
        meaning=f"AWS took back more than {machines} SPOT machines of the region in an hour.",
        look="is the pool running dry? `kubectl get nodeclaims`; more instance types or zones in "
        "the fleet's entries, or on-demand in the stage's gpu.capacity until it is over.",
        metric=metric(_EVENTS, "MatchedEvents", {"RuleName": rule}, period=Duration.hours(1)),
        threshold=machines,
    )


def of_rules(rules: Sequence[str]) -> Watched:
    """EventBridge counts only what it gave up."""
    failed = {
        f"rule{number}": metric(_EVENTS, "FailedInvocations", {"RuleName": rule})
        for number, rule in enumerate(rules, start=1)
    }
    return Watched(
        name="events-undelivered",
        meaning="EventBridge could not hand an event on: somebody was not told.",
        look="the role and the topic of the stage's rules; then what they are about, by hand.",
        metric=_sum(failed),
    )


def of_table(part: str, name: str) -> Iterator[Watched]:
    throttles = {
        kind.lower(): metric("AWS/DynamoDB", f"{kind}ThrottleEvents", {"TableName": name})
        for kind in ("Read", "Write")
    }
    yield Watched(
        name=f"table-{part}-throttles",
        meaning=f"The table of {part} refuses requests.",
        look="one hot key: a single scope takes some hundreds of writes a second, no more.",
        metric=_sum(throttles),
        periods=2,
    )
    errors = {
        call.lower(): metric("AWS/DynamoDB", "SystemErrors", {"TableName": name, "Operation": call})
        for call in _TABLE_CALLS
    }
    yield Watched(
        name=f"table-{part}-errors",
        meaning=f"DynamoDB itself failed on the table of {part}.",
        look="AWS's health dashboard; the gateway goes on with what it last knew.",
        metric=_sum(errors),
        threshold=5,
    )


def of_endpoint(part: str, name: str, variant: str, *, timeout_s: int) -> Iterator[Watched]:
    """`variant` is the production variant's name: SageMaker has no metric of a whole endpoint."""
    dimensions = {"EndpointName": name, "VariantName": variant}
    yield Watched(
        name=f"{part}-{variant}-5xx",
        meaning=f"SageMaker's {part} ({variant}) failed more than 3 requests in 5 minutes.",
        look=f"/aws/sagemaker/Endpoints/{name}.",
        metric=metric("AWS/SageMaker", "Invocation5XXErrors", dimensions),
        threshold=3,
    )
    yield Watched(
        name=f"{part}-{variant}-latency",
        meaning=f"One answer in a hundred of {part} ({variant}) takes over 80 % of {timeout_s} s.",
        look="invocations per instance; does its autoscaling stand at the maximum?",
        # In microseconds.
        metric=metric("AWS/SageMaker", "ModelLatency", dimensions, statistic="p99"),
        threshold=timeout_s * 1e6 * 0.8,
        periods=3,
    )


def of_state_machine(arn: str) -> Iterator[Watched]:
    outcomes = {
        kind.lower(): metric("AWS/States", f"Executions{kind}", {"StateMachineArn": arn})
        for kind in ("Failed", "TimedOut", "Aborted")
    }
    yield Watched(
        name="runs-failed",
        meaning="A run of the harness did not end well: there is no verdict.",
        look="the execution's history in Step Functions; /aws/vendedlogs/states.",
        metric=_sum(outcomes),
    )


def of_load_balancer(full_name: str) -> Iterator[Watched]:
    balancer = {"LoadBalancer": full_name}
    yield Watched(
        name="balancer-5xx",
        meaning="The load balancer of engines itself answered more than 10 requests with a 5xx.",
        look="is any pod of the engine ready? 503: none is; 504: it did not answer in time.",
        metric=metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancer),
        threshold=10,
        periods=3,
        of_periods=2,
        on_dashboard=True,
    )
    yield Watched(
        name="engines-5xx",
        meaning="Engines answered more than 10 requests with a 5xx in 5 minutes.",
        look="EngineErrorRatio in Prometheus tells which.",
        metric=metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", balancer),
        threshold=10,
        periods=3,
        of_periods=2,
    )


def of_target_group(part: str, *, balancer: str, group: str) -> Watched:
    """Full names of both; `part` is what the group leads to."""
    return Watched(
        name=f"{part}-unhealthy-hosts",
        meaning=f"A pod of {part} has been in the target group without being well.",
        look=f"events and logs of the pods of {part}.",
        metric=metric(
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            {"LoadBalancer": balancer, "TargetGroup": group},
            statistic="Minimum",
        ),
        periods=3,
    )


def of_nat(ids: Sequence[str]) -> Iterator[Watched]:
    for number, nat in enumerate(ids, start=1):
        yield Watched(
            name=f"nat-{number}-ports",
            meaning="The NAT gateway has no port left: new connections to the internet fail.",
            look="who opens so many connections to one address (flow logs).",
            metric=metric("AWS/NATGateway", "ErrorPortAllocation", {"NatGatewayId": nat}),
        )


def of_firewall(dimensions: Mapping[str, str]) -> Watched:
    return Watched(
        name="firewall-blocks",
        meaning="The web firewall blocked more than 1,000 requests in 5 minutes, twice in a row.",
        look="its log of what it blocked: an attack, or a caller that our rules wrong?",
        metric=metric("AWS/WAFV2", "BlockedRequests", dimensions),
        threshold=1000,
        periods=2,
    )


def _sum(metrics: Mapping[str, cloudwatch.IMetric]) -> cloudwatch.MathExpression:
    """Of metrics that may be silent: a silent one counts as 0."""
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=dict(metrics),
        label="together",
        period=FIVE_MINUTES,
    )
