"""What can be said of `state_machine.json` without executing it."""

import json
import re
from pathlib import Path
from typing import Any

from harness import lambda_handler
from harness.jobs.limits import LAMBDA
from harness.jobs.shards import MOST_SHARDS

TEXT = (Path(lambda_handler.__file__).parent / "jobs" / "state_machine.json").read_text("utf-8")
STATES: dict[str, Any] = json.loads(TEXT)["States"]


def test_it_takes_the_three_functions_and_nothing_else() -> None:
    assert sorted(re.findall(r"\$\{(.*?)\}", TEXT)) == [
        "MergeRunFunctionArn",
        "PlanShardsFunctionArn",
        "RunShardFunctionArn",
    ]


def test_no_key_or_address_is_in_it() -> None:
    assert not re.search(r"http|llmo_|secret", TEXT, re.IGNORECASE)


def test_all_shards_run_at_once_as_long_as_a_function_may() -> None:
    shards = STATES["Shards"]
    assert shards["MaxConcurrency"] == MOST_SHARDS
    shard = shards["ItemProcessor"]["States"]["Shard"]
    assert shard["TimeoutSeconds"] == LAMBDA.seconds
    # Express children end after 5 minutes.
    assert shards["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] == "STANDARD"


def test_whatever_becomes_of_the_shards_they_are_merged() -> None:
    shards = STATES["Shards"]
    assert (shards["Next"], shards["ToleratedFailurePercentage"]) == ("Merge", 100)
    assert [(catch["ErrorEquals"], catch["Next"]) for catch in shards["Catch"]] == [
        (["States.ALL"], "Merge")
    ]
