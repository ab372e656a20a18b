"""The alarm on keys that end soon asks for exactly what the gateway's code writes."""

import json
from contextlib import closing
from typing import Any

import pytest

from chalicelib.gateway import Gateway
from chalicelib.key_expiry import look
from tests.support.local_aws import LocalAws
from tests.support.synth import STAGES, resources, templates


@pytest.mark.parametrize("stage", STAGES)
def test_its_metric_is_the_one_that_is_written(
    stage: str, aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway({**aws.env(), **aws.tables()})
    with closing(gateway.connections):
        look(gateway.keys, gateway.telemetry, stage=stage, seconds_left=lambda: 60)
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    (metric,) = directive["Metrics"]
    (names,) = directive["Dimensions"]
    alarm = properties(stage, "keys-expiring")
    assert (alarm["Namespace"], alarm["MetricName"]) == (directive["Namespace"], metric["Name"])
    asked = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert asked == {name: line[name] for name in names}


def test_it_outlasts_the_time_between_two_looks() -> None:
    alarm = properties("dev", "keys-expiring")
    assert (alarm["Threshold"], alarm["Statistic"]) == (0, "Maximum")
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] > 24 * 3600


def test_a_look_that_fails_is_told_at_once() -> None:
    """It comes once a day: a threshold of several failures in five minutes would never be met."""
    assert properties("dev", "key-expiry-errors")["Threshold"] == 0
    assert properties("dev", "gateway-errors")["Threshold"] == 3


def properties(stage: str, name: str) -> dict[str, Any]:
    alarms = resources(templates(stage)["observability"], "AWS::CloudWatch::Alarm")
    (found,) = (
        one["Properties"]
        for one in alarms.values()
        if one["Properties"]["AlarmName"] == f"llmo-{stage}-alarm-{name}"
    )
    return dict(found)
