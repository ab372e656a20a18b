"""What AWS tells by events, and runs of the harness."""

from collections.abc import Iterator, Sequence
from typing import Final

from aws_cdk import Duration

from cdk.constructs.watched.metrics import Watched, metric, summed

_EVENTS: Final = "AWS/Events"


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
        metric=summed(failed),
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
        metric=summed(outcomes),
    )
