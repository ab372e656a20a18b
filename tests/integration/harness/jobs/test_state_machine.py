"""`state_machine.json` as moto's interpreter executes it, with our functions behind it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import lambda_handler
from harness.jobs.store import store_at
from tests.integration.harness.jobs.conftest import Deployment
from tests.support import step_functions
from tests.support.step_functions import Context, StepFunctions, Throttled

DEFINITION = Path(lambda_handler.__file__).parent / "jobs" / "state_machine.json"
FUNCTIONS = {"PlanShards": "plan_shards", "RunShard": "run_shard", "MergeRun": "merge_run"}
ARN = "arn:aws:lambda:us-west-2:123456789012:function:"


@pytest.fixture
def engine_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    with step_functions.running(monkeypatch) as running:
        for function in FUNCTIONS.values():
            running.functions[ARN + function] = getattr(lambda_handler, function)
        yield running


def definition() -> str:
    """As CDK's DefinitionSubstitutions make it."""
    return re.sub(
        r"\$\{(\w+)FunctionArn\}",
        lambda found: ARN + FUNCTIONS[found[1]],
        DEFINITION.read_text("utf-8"),
    )


def test_a_run_that_passes_succeeds(deployment: Deployment, engine_room: StepFunctions) -> None:
    ended = engine_room.run(definition(), deployment.event(deployment.plan()))
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["verdict"] == "PASS"
    store = store_at(f"s3://{deployment.bucket}/runs/a-run")
    assert list(store.names("shards/")) == [f"shards/000{number}.json" for number in range(4)]


def test_a_shard_that_fails_fails_the_run_as_invalid_after_all_others_ended(
    deployment: Deployment, engine_room: StepFunctions
) -> None:
    def dies_on_2(event: dict[str, Any], context: Context) -> dict[str, Any]:
        if event["shard"] == 2:
            raise MemoryError("out of it")
        return lambda_handler.run_shard(event, context)

    engine_room.functions[f"{ARN}run_shard"] = dies_on_2
    ended = engine_room.run(definition(), deployment.event(deployment.plan()))
    assert (ended["status"], ended["error"]) == ("FAILED", "INVALID")
    assert ended["cause"].startswith("10 never recorded")
    store = store_at(f"s3://{deployment.bucket}/runs/a-run")
    assert len(list(store.names("shards/"))) == 3


def test_a_function_that_is_throttled_is_started_again(
    deployment: Deployment, engine_room: StepFunctions
) -> None:
    throttled = [0, 3]

    def at_its_limit(event: dict[str, Any], context: Context) -> dict[str, Any]:
        if event["shard"] in throttled:
            throttled.remove(event["shard"])
            raise Throttled
        return lambda_handler.run_shard(event, context)

    engine_room.functions[f"{ARN}run_shard"] = at_its_limit
    ended = engine_room.run(definition(), deployment.event(deployment.plan()))
    assert (ended["status"], throttled) == ("SUCCEEDED", []), ended


def test_shards_that_can_t_be_read_are_an_invalid_run_and_no_silence(
    deployment: Deployment, engine_room: StepFunctions
) -> None:
    def loses_the_list(event: object, context: Context) -> dict[str, Any]:
        planned = lambda_handler.plan_shards(event, context)
        deployment.aws.client("s3").delete_object(
            Bucket=deployment.bucket, Key=planned["shards_key"]
        )
        return planned

    engine_room.functions[f"{ARN}plan_shards"] = loses_the_list
    ended = engine_room.run(definition(), deployment.event(deployment.plan()))
    assert (ended["status"], ended["error"]) == ("FAILED", "INVALID")


def test_a_plan_that_can_t_be_starts_no_shard(
    deployment: Deployment, engine_room: StepFunctions
) -> None:
    event = deployment.event(deployment.plan())
    event["plan"]["shards"] = 41
    ended = engine_room.run(definition(), event)
    assert (ended["status"], ended["error"]) == ("FAILED", "PlanError")
    assert "41 shards are more than its 40 items" in ended["cause"]
    assert deployment.objects("runs/") == []
