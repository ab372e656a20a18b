"""Jobs that copy a model from the hub into the bucket, once."""

import json
from dataclasses import replace
from hashlib import sha256
from math import ceil
from typing import Final

from gpu_fleet.engines import Engine, Fleet
from gpu_fleet.manifests.cluster import (
    AWS_IMAGE,
    VLLM_IMAGE,
    Cluster,
    Object,
    Objects,
    labels,
    metadata,
    model_prefix,
)
from gpu_fleet.manifests.containers import (
    CONTAINER_SECURITY,
    POD_SECURITY,
    SCRATCH_MOUNTS,
    environment,
    exactly,
    scratch,
)
from gpu_fleet.manifests.placement import GENERAL_POOL, POOL
from gpu_fleet.manifests.policies import weights_policy
from gpu_fleet.manifests.scripts import DOWNLOAD, LOOK, UPLOAD
from gpu_fleet.manifests.secrets import MOUNT, SECRET_MOUNT, secret_provider, secret_volume
from gpu_fleet.plan import GIB, weights_bytes

WEIGHTS_ACCOUNT: Final = "weights"
WEIGHTS: Final = "weights"
_MARKS: Final = labels(WEIGHTS, WEIGHTS)
_WORK: Final = "/work"
_FOR_EVER: Final = 2**31 - 1


def template_file(chat_template: str) -> str:
    """Its name beside the weights: another template is another file, and nothing is overwritten."""
    return f"chat_template-{_digest(chat_template)}.jinja"


def weights_objects(fleet: Fleet, cluster: Cluster) -> Objects:
    """An account, its rights to speak, and one Job a distinct model and revision."""
    models = {model_prefix(engine): engine for engine in fleet.engines.values()}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(WEIGHTS_ACCOUNT, cluster, _MARKS),
        "automountServiceAccountToken": False,
    }
    return [
        account,
        secret_provider(WEIGHTS, cluster, _MARKS, secret=cluster.hub_token, file="hub-token"),
        weights_policy(WEIGHTS, cluster, _MARKS),
        *(_job(fleet, prefix, engine, cluster) for prefix, engine in models.items()),
    ]


def _job(fleet: Fleet, prefix: str, engine: Engine, cluster: Cluster) -> Object:
    """A Job can't be changed, so another one has another name, and the old one is pruned. The name
    follows from what is in our files, never from names that only a deployment knows.
    """
    size = _room_gib(fleet, engine)
    known = _pod(prefix, engine, replace(cluster, bucket="", namespace=""), size)
    spec: Object = {
        # One that gave up would stay so: its spec doesn't change when a token is mended. Pauses
        # between tries grow to some minutes, and no further.
        "backoffLimit": _FOR_EVER,
        "suspend": cluster.paused,
        "template": {
            "metadata": {"labels": dict(_MARKS)},
            "spec": _pod(prefix, engine, cluster, size),
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(f"{WEIGHTS}-{_hash(known)}", cluster, _MARKS),
        "spec": spec,
    }


def _hash(pod: Object) -> str:
    return _digest(json.dumps(pod, sort_keys=True))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def _room_gib(fleet: Fleet, engine: Engine) -> int:
    """Twice the weights: the hub's client may keep a file in parts beside the whole."""
    weights = weights_bytes(fleet.architectures[engine.architecture], engine.quantization) / GIB
    return ceil(2 * weights) + 2


def _pod(prefix: str, engine: Engine, cluster: Cluster, room_gib: int) -> Object:
    settings = environment(
        AWS_REGION=cluster.region,
        BUCKET=cluster.weights,
        PREFIX=prefix,
        MODEL=engine.model,
        REVISION=engine.revision,
        CHAT_TEMPLATE=cluster.chat_template.replace("$(", "$$("),  # pods expand $(NAME)
        CHAT_TEMPLATE_FILE=template_file(cluster.chat_template),
        WORK=_WORK,
        HF_HOME=f"{_WORK}/hub",
        HF_TOKEN_PATH=f"{MOUNT}/hub-token",
    )
    look = _container("look", AWS_IMAGE, LOOK, settings, room_gib)
    download = _container("download", VLLM_IMAGE, DOWNLOAD, settings, room_gib)
    download["volumeMounts"].append(dict(SECRET_MOUNT))
    return {
        "serviceAccountName": WEIGHTS_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "OnFailure",
        "nodeSelector": {POOL: GENERAL_POOL},
        "securityContext": dict(POD_SECURITY),
        "initContainers": [look, download],
        "containers": [_container("upload", AWS_IMAGE, UPLOAD, settings, room_gib)],
        "volumes": [
            *scratch(home_gib=2),
            {"name": "work", "emptyDir": {"sizeLimit": f"{room_gib}Gi"}},
            secret_volume(WEIGHTS),
        ],
    }


def _container(name: str, image: str, script: str, settings: list[Object], room_gib: int) -> Object:
    return {
        "name": name,
        "image": image,
        "command": ["/bin/sh", "-c", script],
        "env": [dict(one) for one in settings],
        "resources": exactly(cpu="1", memory="3Gi", ephemeral_storage=f"{room_gib + 4}Gi"),
        "securityContext": dict(CONTAINER_SECURITY),
        "volumeMounts": [*SCRATCH_MOUNTS, {"name": "work", "mountPath": _WORK}],
    }
