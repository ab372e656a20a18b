"""From an engine's entry to its Kubernetes objects."""

import json
import re
from dataclasses import replace
from typing import Any, Final

import pytest

from gpu_fleet.engines import Fleet, Replicas, load_fleet
from gpu_fleet.errors import SetupError
from gpu_fleet.manifests import Cluster, engine_objects, example, weights_objects
from gpu_fleet.serving import CONTAINER_PORT
from tests.support.kubernetes_schema import errors

FLEET: Final = load_fleet()
NAMES: Final = tuple(FLEET.engines)
AWQ: Final = "mistral-7b-awq"
CLUSTER: Final = replace(
    example(FLEET),
    chat_template="{{ messages }}",
    balancers=("10.0.1.0/24", "10.0.2.0/24"),
    target_groups={name: f"arn:{name}" for name in NAMES},
)


def by_kind(name: str, cluster: Cluster = CLUSTER, fleet: Fleet = FLEET) -> dict[str, Any]:
    return {one["kind"]: one for one in engine_objects(fleet, name, cluster)}


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_has_all_that_it_needs_in_the_order_of_need(name: str) -> None:
    objects = engine_objects(FLEET, name, CLUSTER)
    assert [one["kind"] for one in objects] == [
        "ServiceAccount",
        "ConfigMap",
        "SecretProviderClass",
        "NetworkPolicy",
        "ApplicationNetworkPolicy",
        "Service",
        "PodDisruptionBudget",
        "Deployment",
        "ScaledObject",
        "TargetGroupBinding",
    ]
    assert {one["metadata"]["name"] for one in objects} == {name, f"{name}-s3"}
    assert {one["metadata"]["namespace"] for one in objects} == {"llm-baseline"}


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_valid(name: str) -> None:
    objects = engine_objects(FLEET, name, CLUSTER) + weights_objects(FLEET, CLUSTER)
    assert [error for one in objects for error in errors(one)] == []


def test_objects_are_the_same_every_time() -> None:
    first, second = (json.dumps(engine_objects(FLEET, AWQ, CLUSTER)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_whoever_selects_an_engine_selects_its_pods_and_no_others(name: str) -> None:
    objects = by_kind(name)
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    others = [
        by_kind(other)["Deployment"]["spec"]["template"]["metadata"]["labels"]
        for other in NAMES
        if other != name
    ]
    selectors = (
        objects["Service"]["spec"]["selector"],
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        objects["ApplicationNetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    )
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not any(selector.items() <= other.items() for other in others)


def test_a_team_that_changes_does_not_change_what_a_deployment_selects() -> None:
    """Kubernetes would refuse it."""
    engine = replace(FLEET.engines[AWQ], team="other")
    moved = by_kind(AWQ, fleet=replace(FLEET, engines={**FLEET.engines, AWQ: engine}))
    assert moved["Deployment"]["metadata"]["labels"]["llmo/team"] == "other"
    assert moved["Deployment"]["spec"]["selector"] == by_kind(AWQ)["Deployment"]["spec"]["selector"]


def test_only_the_load_balancer_and_prometheus_come_in() -> None:
    policy = by_kind(AWQ)["NetworkPolicy"]["spec"]
    balancers, prometheus = policy["ingress"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [one["ipBlock"]["cidr"] for one in balancers["from"]] == list(CLUSTER.balancers)
    (scraper,) = prometheus["from"]
    assert scraper["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "observability"
    }
    assert scraper["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    ports = [rule["ports"] for rule in policy["ingress"]]
    assert ports == [[{"port": CONTAINER_PORT, "protocol": "TCP"}]] * 2


@pytest.mark.parametrize("name", NAMES)
def test_of_all_outside_an_engine_reaches_s3_alone(name: str) -> None:
    """It holds prompts in clear: what it could be made to send has nowhere else to go."""
    objects = by_kind(name)
    assert objects["NetworkPolicy"]["spec"]["egress"] == []
    spec = objects["ApplicationNetworkPolicy"]["spec"]
    dns, s3 = spec["egress"]
    assert spec["policyTypes"] == ["Egress"]
    inside = ["10.0.0.0/16", "172.20.0.0/16", "169.254.0.0/16"]
    assert dns["to"] == [{"ipBlock": {"cidr": one}} for one in inside]
    assert dns["ports"] == [{"port": 53, "protocol": one} for one in ("UDP", "TCP")]
    names = ["s3.us-west-2.amazonaws.com", "*.s3.us-west-2.amazonaws.com"]
    assert s3["to"] == [{"domainNames": names}]
    assert s3["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_the_first_region_has_its_global_names_too() -> None:
    there = by_kind(AWQ, replace(CLUSTER, region="us-east-1"))["ApplicationNetworkPolicy"]
    (peer,) = there["spec"]["egress"][1]["to"]
    assert {"*.s3.amazonaws.com", "s3.amazonaws.com"} < set(peer["domainNames"])


def test_no_two_policies_share_a_name() -> None:
    """EKS would mix up what they allow, of whichever kind they are."""
    objects = [one for name in NAMES for one in engine_objects(FLEET, name, CLUSTER)]
    objects += weights_objects(FLEET, CLUSTER)
    named = [one["metadata"]["name"] for one in objects if one["kind"].endswith("NetworkPolicy")]
    assert sorted(named) == sorted(set(named))


def test_the_job_that_asks_the_hub_reaches_nothing_inside() -> None:
    policies = [one for one in weights_objects(FLEET, CLUSTER) if one["kind"] == "NetworkPolicy"]
    ((rule,),) = (one["spec"]["egress"] for one in policies)
    (outside,) = rule["to"]
    assert {CLUSTER.network, CLUSTER.services} < set(outside["ipBlock"]["except"])
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_the_key_is_in_secrets_manager_and_nowhere_else() -> None:
    objects = by_kind(AWQ)
    spec = objects["SecretProviderClass"]["spec"]
    (synced,) = spec["secretObjects"]
    (wanted,) = json.loads(spec["parameters"]["objects"])
    assert wanted["objectName"] == CLUSTER.engine_keys[AWQ]
    assert spec["parameters"]["usePodIdentity"] == "true"
    (server,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    (key,) = [one for one in server["env"] if one["name"] == "VLLM_API_KEY"]
    reference = key["valueFrom"]["secretKeyRef"]
    assert reference["name"] == synced["secretName"]
    assert reference["key"] == synced["data"][0]["key"]
    assert synced["data"][0]["objectName"] == wanted["objectAlias"]
    assert not any("api-key" in argument for argument in server["args"])


def test_a_new_chat_template_starts_new_pods() -> None:
    """A server reads it when it starts, so a changed ConfigMap alone changes nothing."""
    changed = replace(CLUSTER, chat_template="{{ other }}")
    before, after = (
        by_kind(AWQ, cluster)["Deployment"]["spec"]["template"]["metadata"]["annotations"]
        for cluster in (CLUSTER, changed)
    )
    assert before != after
    assert by_kind(AWQ, changed)["ConfigMap"]["data"] == {"chat_template.jinja": "{{ other }}"}


def test_ready_pods_become_targets() -> None:
    objects = by_kind(AWQ)
    assert objects["TargetGroupBinding"]["apiVersion"] == "eks.amazonaws.com/v1"
    assert objects["TargetGroupBinding"]["spec"] == {
        "serviceRef": {"name": AWQ, "port": CONTAINER_PORT},
        "targetGroupARN": f"arn:{AWQ}",
        "targetType": "ip",
    }
    assert "TargetGroupBinding" not in by_kind(AWQ, example(FLEET))


def test_a_paused_engine_has_no_pods_and_nobody_gives_it_any() -> None:
    paused = by_kind(AWQ, replace(CLUSTER, paused=True))
    assert paused["Deployment"]["spec"]["replicas"] == 0
    annotations = paused["ScaledObject"]["metadata"]["annotations"]
    assert annotations == {"autoscaling.keda.sh/paused-replicas": "0"}


def test_of_a_running_engine_only_keda_says_how_many() -> None:
    objects = by_kind(AWQ)
    assert "replicas" not in objects["Deployment"]["spec"]
    assert "annotations" not in objects["ScaledObject"]["metadata"]


def test_more_engines_than_gpus_are_refused_with_the_numbers() -> None:
    wanted = re.escape("4 GPUs at least (mistral-7b-awq 1,") + ".*the stage may have 3"
    with pytest.raises(SetupError, match=wanted):
        engine_objects(FLEET, AWQ, replace(CLUSTER, gpus=3))


def test_without_a_spare_gpu_the_old_pod_goes_first() -> None:
    """A new one would wait for its GPU for ever."""
    assert by_kind(AWQ)["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_with_a_spare_gpu_the_new_pod_comes_first() -> None:
    roomy = by_kind(AWQ, replace(CLUSTER, gpus=5))
    assert roomy["Deployment"]["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


@pytest.mark.parametrize(("gpus", "most"), [(4, 1), (5, 2), (7, 4), (100, 4)])
def test_an_engine_grows_into_gpus_that_others_leave(gpus: int, most: int) -> None:
    scaled = by_kind(AWQ, replace(CLUSTER, gpus=gpus))["ScaledObject"]["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (1, most)


def test_an_engine_scales_by_its_own_waiting_requests() -> None:
    spec = by_kind(AWQ)["ScaledObject"]["spec"]
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"] == {
        "serverAddress": "http://prometheus.observability.svc:9090",
        "query": 'sum(vllm:num_requests_waiting{model_name="mistral-7b-awq"})',
        "threshold": "8",
    }
    assert spec["scaleTargetRef"] == {"name": AWQ}


def test_without_prometheus_nothing_is_taken_away() -> None:
    fallback = by_kind(AWQ)["ScaledObject"]["spec"]["fallback"]
    assert fallback["replicas"] == 1
    assert fallback["behavior"] == "currentReplicasIfHigher"


def test_an_engine_may_rest_at_none() -> None:
    engine = replace(FLEET.engines[AWQ], replicas=Replicas(min=0, max=1))
    fleet = replace(FLEET, engines={**FLEET.engines, AWQ: engine})
    spec = by_kind(AWQ, replace(CLUSTER, gpus=3), fleet)["ScaledObject"]["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 1)


def test_the_last_pod_may_be_evicted() -> None:
    """Else Karpenter could not drain a SPOT node that goes anyway."""
    assert by_kind(AWQ)["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
