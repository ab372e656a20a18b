"""The way of a request up to its backend: firewall, API, functions, tables."""

from collections.abc import Iterator, Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.watched.metrics import FIVE_MINUTES, Watched, metric, summed

_TABLE_CALLS: Final = ("GetItem", "PutItem", "UpdateItem", "Query", "Scan")


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


def of_table(part: str, name: str) -> Iterator[Watched]:
    throttles = {
        kind.lower(): metric("AWS/DynamoDB", f"{kind}ThrottleEvents", {"TableName": name})
        for kind in ("Read", "Write")
    }
    yield Watched(
        name=f"table-{part}-throttles",
        meaning=f"The table of {part} refuses requests.",
        look="one hot key: a single scope takes some hundreds of writes a second, no more.",
        metric=summed(throttles),
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
        metric=summed(errors),
        threshold=5,
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
