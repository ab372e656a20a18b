from dataclasses import replace
from typing import Any, Final

from cdk.deployment import Deployment
from cdk.kubernetes.namespaces import Namespace, namespaces, objects

DEV: Final = Deployment.read("dev")
ROOM: Final = Namespace(name="room", cpu=4, memory_gib=8, pods=20)


def made(namespace: Namespace) -> list[dict[str, Any]]:
    return objects(namespace, service_cidr="172.20.0.0/16", network="10.0.0.0/16")


def quota(namespace: Namespace) -> dict[str, str]:
    hard: dict[str, str] = next(
        one["spec"]["hard"] for one in made(namespace) if one["kind"] == "ResourceQuota"
    )
    return hard


def engines(deployment: Deployment) -> Namespace:
    return next(
        one for one in namespaces(deployment.stage, deployment.fleet) if one.name == "llm-baseline"
    )


def test_the_teams_have_what_they_were_promised() -> None:
    promised = {
        one.name: (one.cpu, one.memory_gib, one.pods) for one in namespaces(DEV.stage, DEV.fleet)
    }
    del promised["llm-baseline"]
    assert promised == {
        "platform": (4, 8, 20),
        "quant": (8, 16, 15),
        "finetune": (4, 8, 10),
        "eval": (4, 8, 10),
        "observability": (8, 16, 30),
    }


def test_only_engines_may_have_gpus() -> None:
    having = [one.name for one in namespaces(DEV.stage, DEV.fleet) if one.gpus]
    assert having == ["llm-baseline"]
    assert quota(ROOM)["requests.nvidia.com/gpu"] == "0"


def test_engines_have_room_for_as_many_as_the_stage_has_gpus() -> None:
    assert engines(DEV).gpus == DEV.stage.gpu.limit
    assert engines(DEV).cpu >= 3 * DEV.stage.gpu.limit
    assert engines(DEV).memory_gib >= 12 * DEV.stage.gpu.limit


def test_engines_have_no_room_for_more_than_the_fleet_wants() -> None:
    plenty = replace(DEV, stage=replace(DEV.stage, gpu=replace(DEV.stage.gpu, limit=100)))
    wanted = sum(engine.replicas.max for engine in DEV.fleet.engines.values())
    assert engines(plenty).gpus == wanted


def test_a_namespace_is_made_before_what_is_in_it() -> None:
    kinds = [one["kind"] for one in made(ROOM)]
    assert kinds[:4] == ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy"]


def test_pods_may_ask_for_names_and_for_their_aws_role_and_nothing_else() -> None:
    deny, basics = (one for one in made(ROOM) if one["kind"] == "NetworkPolicy")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert basics["spec"]["policyTypes"] == ["Egress"]
    resolver = {("UDP", 53), ("TCP", 53)}
    reached = [
        (peer["ipBlock"]["cidr"], {(port["protocol"], port["port"]) for port in rule["ports"]})
        for rule in basics["spec"]["egress"]
        for peer in rule["to"]
    ]
    assert reached == [
        ("10.0.0.0/16", resolver),
        ("172.20.0.0/16", resolver),
        ("169.254.0.0/16", resolver),
        ("169.254.170.23/32", {("TCP", 80)}),
    ]


def test_what_is_opened_is_a_policy_of_its_own() -> None:
    rule: dict[str, Any] = {"from": [{"podSelector": {}}]}
    opened = made(replace(ROOM, ingress=[rule]))[-1]
    assert opened["metadata"]["name"] == "allow-ingress"
    assert opened["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}


def test_an_exception_from_restricted_pods_says_why() -> None:
    loose = replace(ROOM, pod_security="privileged", why="looks into the node")
    metadata = made(loose)[0]["metadata"]
    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert metadata["annotations"] == {"llmo/pod-security-exception": "looks into the node"}
