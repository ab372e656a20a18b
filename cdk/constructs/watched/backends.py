"""What answers: engines behind their load balancer, endpoints, and the network around them."""

from collections.abc import Iterator, Sequence

from cdk.constructs.watched.metrics import Watched, metric


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


def of_nat(ids: Sequence[str]) -> Iterator[Watched]:
    for number, nat in enumerate(ids, start=1):
        yield Watched(
            name=f"nat-{number}-ports",
            meaning="The NAT gateway has no port left: new connections to the internet fail.",
            look="who opens so many connections to one address (flow logs).",
            metric=metric("AWS/NATGateway", "ErrorPortAllocation", {"NatGatewayId": nat}),
        )
