"""The Lambda functions in this process, against moto's S3 and an engine that answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from harness import lambda_handler
from harness.errors import PlanError, PromptsetError, StoreError, WrongInput
from harness.jobs.fetch import fetch
from harness.jobs.merge import merge
from harness.jobs.store import store_at
from harness.plan import Plan
from harness.runs.folder import RunFolder
from harness.summarise import summarise
from tests.integration.harness.jobs.conftest import Deployment
from tests.support.jobs import asking
from tests.support.step_functions import Context

CLOSED = {"arrivals": {"type": "closed", "concurrency": 8}, "count": 40}


def tasks_of(deployment: Deployment, plan: Plan) -> list[dict[str, Any]]:
    """Planned, and read as Step Functions reads them."""
    planned = lambda_handler.plan_shards(deployment.event(plan), Context())
    body = deployment.aws.client("s3").get_object(
        Bucket=planned["bucket"], Key=planned["shards_key"]
    )["Body"]
    tasks: list[dict[str, Any]] = json.load(body)
    return tasks


@pytest.mark.parametrize("load", [None, CLOSED])
@pytest.mark.parametrize("arms", [1, 2])
def test_a_run_by_four_functions_is_one_run(
    deployment: Deployment, load: dict[str, Any] | None, arms: int, tmp_path: Path
) -> None:
    tasks = tasks_of(deployment, deployment.plan(load, arms=arms))
    results = [lambda_handler.run_shard(task, Context()) for task in tasks]
    merged = lambda_handler.merge_run({"run_id": "a-run"}, Context())
    assert [result["shard"] for result in results] == [0, 1, 2, 3]
    assert sum(result["recorded"] for result in results) == 40
    assert (merged["verdict"], merged["planned"], merged["recorded"]) == ("PASS", 40, 40)

    fetch(store_at(f"s3://{deployment.bucket}/runs/a-run"), tmp_path / "a-run")
    folder = RunFolder(tmp_path / "a-run")
    assert sorted(record.index for record in folder.records()) == list(range(40))
    assert all(record.output for record in folder.records())
    summary = folder.summary
    assert summary is not None
    whole = summarise(folder.plan, folder.aggregate())
    assert (summary.arms, summary.client, summary.timeline) == (
        whole.arms,
        whole.client,
        whole.timeline,
    )


def test_a_shard_that_is_tried_again_is_told_again_and_asks_nobody(deployment: Deployment) -> None:
    tasks = tasks_of(deployment, deployment.plan())
    first = [lambda_handler.run_shard(task, Context()) for task in tasks]
    latest = deployment.engine.requests[-1]
    objects = deployment.objects("runs/")
    assert [lambda_handler.run_shard(task, Context()) for task in tasks] == first
    assert deployment.engine.requests[-1] is latest
    assert deployment.objects("runs/") == objects
    assert lambda_handler.merge_run({"run_id": "a-run"}, Context())["recorded"] == 40


def test_of_two_attempts_at_once_one_counts(deployment: Deployment) -> None:
    tasks = tasks_of(deployment, deployment.plan(shards=1))
    with ThreadPoolExecutor(2) as both:
        results = list(both.map(lambda_handler.run_shard, tasks * 2, [Context(), Context()]))
    assert results[0] == results[1] == {"shard": 0, "recorded": 40, "gave_up": False}
    merged = lambda_handler.merge_run({"run_id": "a-run"}, Context())
    assert (merged["verdict"], merged["recorded"]) == ("PASS", 40)


def test_what_an_attempt_that_died_left_behind_is_counted_by_nobody(
    deployment: Deployment, tmp_path: Path
) -> None:
    tasks = tasks_of(deployment, deployment.plan())
    store = store_at(f"s3://{deployment.bucket}/runs/a-run")
    lambda_handler.run_shard(tasks[0], Context())
    recorded = next(store.names("records/0000-"))
    store.put("records/0001-dead0000-0000.jsonl", store.get(recorded))
    for task in tasks[1:]:
        lambda_handler.run_shard(task, Context())
    merged = lambda_handler.merge_run({"run_id": "a-run"}, Context())
    assert (merged["verdict"], merged["recorded"]) == ("PASS", 40)
    fetch(store, tmp_path / "a-run")
    assert len(list(RunFolder(tmp_path / "a-run").records())) == 40


def test_a_lost_shard_makes_the_run_invalid(deployment: Deployment) -> None:
    for task in tasks_of(deployment, deployment.plan())[:3]:
        lambda_handler.run_shard(task, Context())
    merged = lambda_handler.merge_run({"run_id": "a-run"}, Context())
    assert (merged["verdict"], merged["recorded"]) == ("INVALID", 30)
    assert merged["reason"].startswith("10 never recorded, e.g. 3")


def test_a_function_without_time_gives_up_and_writes_what_it_has(deployment: Deployment) -> None:
    tasks = tasks_of(deployment, deployment.plan())
    assert lambda_handler.run_shard(tasks[0], Context(milliseconds=30_000)) == {
        "shard": 0,
        "recorded": 0,
        "gave_up": True,
    }
    for task in tasks[1:]:
        lambda_handler.run_shard(task, Context())
    assert lambda_handler.merge_run({"run_id": "a-run"}, Context())["verdict"] == "INVALID"
    summary = merge(store_at(f"s3://{deployment.bucket}/runs/a-run"))
    assert "1 shards had no more time, e.g. 0: plan a shorter run, or more shards" in {
        finding.reason for finding in summary.findings
    }


def test_a_start_that_never_comes_is_not_waited_for(deployment: Deployment) -> None:
    task = tasks_of(deployment, deployment.plan())[0]
    far = {**task, "start_at_ns": task["start_at_ns"] + 10**18}
    assert lambda_handler.run_shard(far, Context(milliseconds=30_000))["gave_up"]


def test_an_engine_that_fails_everything_is_no_pass(deployment: Deployment) -> None:
    plan = replace(deployment.plan(), expect=replace(deployment.plan().expect, max_error_rate=0.1))
    tasks = tasks_of(deployment, plan)
    deployment.engine.behaviour = type(deployment.engine.behaviour)(fault="status")
    for task in tasks:
        lambda_handler.run_shard(task, Context())
    merged = lambda_handler.merge_run({"run_id": "a-run"}, Context())
    assert (merged["verdict"], merged["recorded"]) == ("FAIL", 40)


def test_planning_again_changes_nothing(deployment: Deployment) -> None:
    plan = deployment.plan()
    assert tasks_of(deployment, plan) == tasks_of(deployment, plan)


def test_another_plan_under_the_same_run_id_is_refused(deployment: Deployment) -> None:
    tasks_of(deployment, deployment.plan())
    with pytest.raises(PlanError, match="was planned otherwise already: take another run id"):
        tasks_of(deployment, replace(deployment.plan(), seed=7))


def test_a_key_for_each_arm_may_be_given(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = deployment.aws.client("secretsmanager").create_secret(
        Name=f"{deployment.bucket}-by-arm", SecretString='{"arm0": "llmo_test_key", "arm1": "bad"}'
    )
    monkeypatch.setenv("API_KEY_SECRET", secret["ARN"])
    for task in tasks_of(deployment, deployment.plan(arms=2, shards=1)):
        lambda_handler.run_shard(task, Context())
    summary = merge(store_at(f"s3://{deployment.bucket}/runs/a-run"))
    assert [sum(arm.errors.values()) for arm in summary.arms] == [0, 18]


def test_the_key_is_in_no_object(deployment: Deployment) -> None:
    for task in tasks_of(deployment, deployment.plan()):
        lambda_handler.run_shard(task, Context())
    lambda_handler.merge_run({"run_id": "a-run"}, Context())
    s3 = deployment.aws.client("s3")
    for key in deployment.objects():
        assert (
            b"llmo_test_key" not in s3.get_object(Bucket=deployment.bucket, Key=key)["Body"].read()
        )


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "plan",
        {},
        {"run_id": 7, "shard": 0, "start_at_ns": 0},
        {"run_id": "a-run", "shard": "0", "start_at_ns": 0},
        {"run_id": "a-run", "shard": 0, "start_at_ns": 0, "key": "llmo_x"},
        {"run_id": "../other", "shard": 0, "start_at_ns": 0},
        {"run_id": "a" * 70_000, "shard": 0, "start_at_ns": 0},
        {"run_id": object(), "shard": 0, "start_at_ns": 0},
    ],
)
@pytest.mark.usefixtures("deployment")
def test_a_bad_event_is_refused(event: object) -> None:
    with pytest.raises(WrongInput, match=r"event: |run id "):
        lambda_handler.run_shard(event, Context())


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"shards": 0}, PlanError, r"plan: .*shards"),
        ({"shards": 41}, PlanError, "41 shards are more than its 40 items"),
        ({"run_id": "a/b"}, WrongInput, "run id 'a/b'"),
        (
            {"load": {"arrivals": {"type": "closed", "concurrency": 8}, "duration_s": 5}},
            PlanError,
            "a closed loop for a duration can't be cut",
        ),
        (
            {"load": {"arrivals": {"type": "constant", "rate": 1}, "duration_s": 900}},
            PlanError,
            "may need 1,019 s .* has 870 s",
        ),
        ({"promptset": {"name": "../x", "version": 1, "sha256": ""}}, PlanError, "no name of"),
        (
            {"promptset": {"name": "for-jobs", "version": 1, "sha256": "0" * 64}},
            PromptsetError,
            "the plan was made with",
        ),
    ],
)
def test_a_plan_that_can_t_be_is_refused_before_anything_is_written(
    deployment: Deployment, change: dict[str, Any], error: type[Exception], reason: str
) -> None:
    document = msgspec.to_builtins(deployment.plan()) | change
    with pytest.raises(error, match=reason):
        lambda_handler.plan_shards({"plan": document, "start_in_s": 0}, Context())
    assert deployment.objects("runs/") == []


def test_nobody_else_is_asked_with_the_key(deployment: Deployment) -> None:
    stranger = asking(deployment.plan(), "http://127.0.0.1:9")
    with pytest.raises(PlanError, match=r"arm 'arm0' asks 'http://127.0.0.1:9', which is none of"):
        lambda_handler.plan_shards(deployment.event(stranger), Context())


def test_a_plan_that_was_changed_in_the_bucket_asks_nobody_else(deployment: Deployment) -> None:
    tasks = tasks_of(deployment, deployment.plan())
    store = store_at(f"s3://{deployment.bucket}/runs/a-run")
    store.put("plan.json", msgspec.json.encode(asking(deployment.plan(), "http://127.0.0.1:9")))
    with pytest.raises(PlanError, match="none of TARGET_URLS"):
        lambda_handler.run_shard(tasks[0], Context())


def test_a_shard_that_the_plan_doesn_t_have_is_refused(deployment: Deployment) -> None:
    task = tasks_of(deployment, deployment.plan())[0]
    with pytest.raises(PlanError, match="has shards 0 to 3, not 4"):
        lambda_handler.run_shard({**task, "shard": 4}, Context())


@pytest.mark.usefixtures("deployment")
def test_a_run_that_was_never_planned_is_told() -> None:
    task = {"run_id": "no-run", "shard": 0, "start_at_ns": 0}
    with pytest.raises(StoreError, match=r"holds no plan\.json: no run was planned here"):
        lambda_handler.run_shard(task, Context())
    with pytest.raises(StoreError, match="no run was planned here"):
        lambda_handler.merge_run({"run_id": "no-run"}, Context())


def test_a_missing_bucket_is_told(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = deployment.plan()
    monkeypatch.setenv("RUNS_BUCKET", "no-such-bucket-anywhere")
    with pytest.raises(StoreError, match="no-such-bucket-anywhere"):
        lambda_handler.plan_shards(deployment.event(plan), Context())
    with pytest.raises(StoreError, match="does not exist: create it"):
        lambda_handler.merge_run({"run_id": "a-run"}, Context())


def test_a_missing_secret_is_told_without_its_name(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tasks_of(deployment, deployment.plan())[0]
    monkeypatch.setenv("API_KEY_SECRET", "no-such-secret")
    with pytest.raises(StoreError, match=r"can't be read \(ResourceNotFoundException\)") as told:
        lambda_handler.run_shard(task, Context())
    assert "no-such-secret" not in str(told.value)


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("name", ["RUNS_BUCKET", "TARGET_URLS", "API_KEY_SECRET"])
def test_an_environment_that_lacks_a_variable_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(WrongInput, match=f"environment: {name} must be set"):
        lambda_handler.merge_run({"run_id": "a-run"}, Context())
