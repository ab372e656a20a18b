"""What every container of the fleet has in common."""

from typing import Any, Final

from gpu_fleet.manifests.cluster import Object

# The user that vLLM's image makes for running without root. All it writes is under HOME and /tmp,
# which are empty volumes, so that the image itself can stay read-only.
USER: Final = 2000
HOME: Final = "/home/vllm"

POD_SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SCRATCH_MOUNTS: Final = ({"name": "home", "mountPath": HOME}, {"name": "tmp", "mountPath": "/tmp"})  # noqa: S108  (a volume)


def scratch(home_gib: int, tmp_gib: int = 2) -> list[Object]:
    return [
        {"name": "home", "emptyDir": {"sizeLimit": f"{home_gib}Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": f"{tmp_gib}Gi"}},
    ]


def environment(**values: str) -> list[dict[str, Any]]:
    """`USER` is named because libraries ask who they are, and not every image knows the number."""
    return [
        {"name": name, "value": value}
        for name, value in {"HOME": HOME, "USER": "vllm", **values}.items()
    ]


def exactly(**resources: str) -> Object:
    """Limits that are the requests: nobody lends, so nobody is evicted for having lent."""
    named = {name.replace("_", "-"): value for name, value in resources.items()}
    return {"requests": dict(named), "limits": dict(named)}
