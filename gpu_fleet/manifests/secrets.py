"""Secrets from Secrets Manager, mounted by the CSI driver with the pod's own AWS role."""

import json
from collections.abc import Mapping
from typing import Final

from gpu_fleet.manifests.cluster import Cluster, Object, metadata

MOUNT: Final = "/mnt/secrets"


def secret_provider(
    name: str,
    cluster: Cluster,
    marks: Mapping[str, str],
    *,
    secret: str,
    file: str,
    variable: str | None = None,
) -> Object:
    """The secret as a file; with `variable` also as a Secret of this name, for the environment.

    A pod whose secret has no value yet waits for it: it is not started with a wrong one.
    """
    wanted = [{"objectName": secret, "objectType": "secretsmanager", "objectAlias": file}]
    synced = {
        "secretName": name,
        "type": "Opaque",
        "labels": dict(marks),
        "data": [{"objectName": file, "key": variable}],
    }
    return {
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            "provider": "aws",
            "parameters": {
                "region": cluster.region,
                "usePodIdentity": "true",
                "objects": json.dumps(wanted),  # the driver reads YAML, and JSON is that
            },
            **({"secretObjects": [synced]} if variable else {}),
        },
    }


def secret_volume(provider: str) -> Object:
    return {
        "name": "secrets",
        "csi": {
            "driver": "secrets-store.csi.k8s.io",
            "readOnly": True,
            "volumeAttributes": {"secretProviderClass": provider},
        },
    }


SECRET_MOUNT: Final = {"name": "secrets", "mountPath": MOUNT, "readOnly": True}
