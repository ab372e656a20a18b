from dataclasses import replace
from typing import Any

import pytest

from cdk.deployment import Deployment
from cdk.kubernetes.node_pools import general_pool, gpu_pool, node_class

DEV = Deployment.read("dev")
PROD = Deployment.read("prod")
HOURS_ON_AUTO_MODE = 21 * 24


def requirement(pool: dict[str, Any], key: str) -> set[str]:
    requirements = pool["spec"]["template"]["spec"]["requirements"]
    return next(set(one["values"]) for one in requirements if one["key"] == key)


def test_gpu_nodes_are_of_the_types_that_any_engine_runs_on() -> None:
    wanted = {one for engine in DEV.fleet.engines.values() for one in engine.instance_types}
    assert requirement(gpu_pool(DEV), "node.kubernetes.io/instance-type") == wanted
    assert all(DEV.fleet.instances[one].gpus == 1 for one in wanted)


@pytest.mark.parametrize("deployment", [DEV, PROD])
def test_a_stage_says_what_may_be_bought(deployment: Deployment) -> None:
    stage = deployment.stage
    assert requirement(gpu_pool(deployment), "karpenter.sh/capacity-type") == set(
        stage.gpu.capacity
    )
    assert requirement(gpu_pool(deployment), "topology.kubernetes.io/zone") == set(stage.zones)
    assert gpu_pool(deployment)["spec"]["limits"] == {"nvidia.com/gpu": str(stage.gpu.limit)}
    assert general_pool(deployment)["spec"]["limits"] == {"cpu": str(stage.general.cpus)}


def test_a_paused_stage_may_buy_nothing() -> None:
    paused = replace(DEV, paused=True)
    assert gpu_pool(paused)["spec"]["limits"] == {"nvidia.com/gpu": "0"}
    assert general_pool(paused)["spec"]["limits"] == {"cpu": "0"}


def test_pausing_changes_only_limits() -> None:
    """Anything else would replace the nodes of a stage that resumes."""
    for pool in (gpu_pool, general_pool):
        running, paused = pool(DEV)["spec"], pool(replace(DEV, paused=True))["spec"]
        assert running | {"limits": {}} == paused | {"limits": {}}


def test_only_engines_run_on_gpu_nodes() -> None:
    assert gpu_pool(DEV)["spec"]["template"]["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
    ]
    assert "taints" not in general_pool(DEV)["spec"]["template"]["spec"]


def test_engines_are_not_moved_to_save_money() -> None:
    assert gpu_pool(DEV)["spec"]["disruption"]["consolidationPolicy"] == "WhenEmpty"


@pytest.mark.parametrize("pool", [gpu_pool(DEV), general_pool(DEV)])
def test_empty_nodes_go_at_once_and_full_ones_singly(pool: dict[str, Any]) -> None:
    budgets = {
        reason: budget["nodes"]
        for budget in pool["spec"]["disruption"]["budgets"]
        for reason in budget["reasons"]
    }
    assert budgets == {"Drifted": "1", "Underutilized": "1", "Empty": "100%"}


@pytest.mark.parametrize("pool", [gpu_pool(DEV), general_pool(DEV)])
def test_nodes_are_replaced_before_auto_mode_takes_them(pool: dict[str, Any]) -> None:
    spec = pool["spec"]["template"]["spec"]
    hours = [int(spec[key].removesuffix("h")) for key in ("expireAfter", "terminationGracePeriod")]
    assert sum(hours) <= HOURS_ON_AUTO_MODE


def test_pods_find_a_pool_by_its_label() -> None:
    for pool in (gpu_pool(DEV), general_pool(DEV)):
        labels = pool["spec"]["template"]["metadata"]["labels"]
        assert labels == {"llmo/pool": pool["metadata"]["name"]}


def test_nodes_are_where_they_are_told_to_be() -> None:
    spec = node_class(role_name="node", subnet_ids=["subnet-1", "subnet-2"], security_group_id="sg")
    assert spec["spec"]["subnetSelectorTerms"] == [{"id": "subnet-1"}, {"id": "subnet-2"}]
    assert spec["spec"]["securityGroupSelectorTerms"] == [{"id": "sg"}]
    assert spec["spec"]["role"] == "node"
