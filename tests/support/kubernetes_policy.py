"""What no object in the cluster may do, as rules; and who may all the same, with the reason."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.support.kubernetes_pod_rules import POD_RULES
from tests.support.kubernetes_pods import workloads
from tests.support.kubernetes_room_rules import ROOM_RULES

EXCEPTIONS: Final[Mapping[tuple[str, str], str]] = {
    ("non_root", "dcgm-exporter"): "rewrites the linker's cache at start; holds no capability",
    ("read_only_root", "dcgm-exporter"): "rewrites the linker's cache at start",
    ("host", "dcgm-exporter"): "mounts /dev/null where the runtime reads which GPUs to show it",
}
"""By rule and workload."""


def findings(manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every breach of every rule, each in a line."""
    in_pods = [
        f"{workload}: {rule.__name__}: {finding}"
        for workload in workloads(manifests)
        for rule in POD_RULES
        if (rule.__name__, workload.name) not in EXCEPTIONS
        for finding in rule(workload)
    ]
    around = [f"{rule.__name__}: {finding}" for rule in ROOM_RULES for finding in rule(manifests)]
    return in_pods + around
