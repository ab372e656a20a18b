"""Jobs that copy models into the bucket."""

from dataclasses import replace
from typing import Any, Final

from gpu_fleet.engines import Fleet, load_fleet
from gpu_fleet.manifests import Cluster, example, weights_objects
from gpu_fleet.manifests.weights import template_file

FLEET: Final = load_fleet()
EXAMPLE: Final = example(FLEET)
AWQ: Final = "mistral-7b-awq"


def jobs(fleet: Fleet = FLEET, cluster: Cluster = EXAMPLE) -> list[dict[str, Any]]:
    return [one for one in weights_objects(fleet, cluster) if one["kind"] == "Job"]


def pod(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def model(job: dict[str, Any]) -> str:
    (upload,) = pod(job)["containers"]
    (named,) = [str(one["value"]) for one in upload["env"] if one["name"] == "MODEL"]
    return named


def names(found: list[dict[str, Any]]) -> set[str]:
    return {one["metadata"]["name"] for one in found}


def test_engines_that_share_a_model_share_its_copy() -> None:
    assert sorted(model(job) for job in jobs()) == [
        "TheBloke/Mistral-7B-Instruct-v0.2-AWQ",
        "mistralai/Mistral-7B-Instruct-v0.2",
    ]


def test_another_revision_is_another_job() -> None:
    """A Job can't be changed, and weights of a revision are never overwritten."""
    engine = replace(FLEET.engines[AWQ], revision="v2")
    changed = jobs(replace(FLEET, engines={**FLEET.engines, AWQ: engine}))
    assert len(names(changed)) == 3
    assert names(jobs()) < names(changed)


def test_a_job_is_named_by_what_our_files_say() -> None:
    """Names that only a deployment knows are placeholders here, and differ between synths."""
    elsewhere = replace(EXAMPLE, bucket="${Token[OTHER.7]}", hub_token="${Token[OTHER.8]}")
    assert names(jobs(cluster=elsewhere)) == names(jobs())


def test_copying_needs_no_gpu_and_waits_while_paused() -> None:
    for job in jobs(cluster=replace(EXAMPLE, paused=True)):
        assert job["spec"]["suspend"] is True
        assert pod(job)["nodeSelector"] == {"llmo/pool": "general"}
        limits = [
            one["resources"]["limits"]
            for one in (*pod(job)["initContainers"], *pod(job)["containers"])
        ]
        assert not any("nvidia.com/gpu" in one for one in limits)
    assert not any(job["spec"]["suspend"] for job in jobs())


def test_the_hubs_token_is_a_file_for_the_one_that_downloads() -> None:
    """Not in the environment, and in no Secret of Kubernetes."""
    for job in jobs():
        holders = [
            one["name"]
            for one in (*pod(job)["initContainers"], *pod(job)["containers"])
            if any(mount["name"] == "secrets" for mount in one["volumeMounts"])
        ]
        assert holders == ["download"]
    (provider,) = [
        one for one in weights_objects(FLEET, EXAMPLE) if one["kind"] == "SecretProviderClass"
    ]
    assert "secretObjects" not in provider["spec"]


def settings(job: dict[str, Any]) -> dict[str, Any]:
    (upload,) = pod(job)["containers"]
    return {one["name"]: one.get("value") for one in upload["env"]}


def test_a_new_chat_template_is_another_job_that_writes_another_file() -> None:
    old, new = (jobs(cluster=replace(EXAMPLE, chat_template=text)) for text in ("a", "b"))
    assert not names(old) & names(new)
    files = {settings(job)["CHAT_TEMPLATE_FILE"] for job in (*old, *new)}
    assert files == {template_file("a"), template_file("b")}
    assert len(files) == 2


def test_a_job_never_gives_up() -> None:
    """Nothing in it changes when a token is mended, so nothing would start it again."""
    for job in jobs():
        assert job["spec"]["backoffLimit"] == 2**31 - 1
        assert pod(job)["restartPolicy"] == "OnFailure"
        assert "activeDeadlineSeconds" not in job["spec"]


def test_there_is_room_for_the_weights() -> None:
    """Half precision: 14.5 GB, and as much again while a file is put together."""
    (whole,) = [job for job in jobs() if model(job).startswith("mistralai/")]
    (room,) = [one["emptyDir"] for one in pod(whole)["volumes"] if one["name"] == "work"]
    assert room == {"sizeLimit": "29Gi"}
