"""What nodes there may be: EKS Auto Mode's NodeClass, and two NodePools of its Karpenter."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdk.deployment import Deployment

Manifest = dict[str, Any]

POOL: Final = "llmo/pool"
"""The label by which pods choose a pool."""
GPU_TAINT: Final = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
NODE_CLASS: Final = "llmo"

# Auto Mode replaces every node within 21 days, grace included: two weeks leave room for both.
EXPIRE_AFTER: Final = "336h"
# A node that is replaced or expires waits this long for its pods, even for those that ask not to be
# disturbed: a job can end, an engine needs 90 s.
TERMINATION_GRACE: Final = "1h"
# vLLM's image takes about 25 GiB unpacked; weights are streamed past the disk.
EPHEMERAL_STORAGE: Final = {"size": "100Gi", "iops": 3000, "throughput": 250}
# Long enough that a restarted engine finds its node and its image again.
GPU_EMPTY_AFTER: Final = "10m"
GENERAL_EMPTY_AFTER: Final = "2m"
# Replacing goes node by node; what is empty goes at once, or pausing a stage would take an hour.
BUDGETS: Final = (
    {"nodes": "1", "reasons": ["Drifted", "Underutilized"]},
    {"nodes": "100%", "reasons": ["Empty"]},
)


def node_class(*, role_name: str, subnet_ids: Sequence[str], security_group_id: str) -> Manifest:
    """`role_name` must have an access entry, or no node of it joins the cluster."""
    return {
        "apiVersion": "eks.amazonaws.com/v1",
        "kind": "NodeClass",
        "metadata": {"name": NODE_CLASS},
        "spec": {
            "role": role_name,
            "subnetSelectorTerms": [{"id": one} for one in subnet_ids],
            "securityGroupSelectorTerms": [{"id": security_group_id}],
            "ephemeralStorage": EPHEMERAL_STORAGE,
            # Each namespace denies by its own policy. DefaultDeny would also cut off the pods of
            # add-ons in kube-system, which bring no policy.
            "networkPolicy": "DefaultAllow",
            "networkPolicyEventLogs": "Enabled",
        },
    }


def gpu_pool(deployment: Deployment) -> Manifest:
    """One GPU a node, whichever of the fleet's instance types can be had."""
    stage = deployment.stage
    engines = deployment.fleet.engines.values()
    types = sorted({one for engine in engines for one in engine.instance_types})
    return _node_pool(
        "gpu",
        requirements={
            "node.kubernetes.io/instance-type": types,
            "karpenter.sh/capacity-type": stage.gpu.capacity,
            "topology.kubernetes.io/zone": stage.zones,
        },
        limits={"nvidia.com/gpu": 0 if deployment.paused else stage.gpu.limit},
        # Never to make nodes fuller: moving an engine costs minutes of its capacity.
        disruption={"consolidationPolicy": "WhenEmpty", "consolidateAfter": GPU_EMPTY_AFTER},
        taints=[GPU_TAINT],
    )


def general_pool(deployment: Deployment) -> Manifest:
    """Everything but engines: on demand, because telemetry must outlive a loss of SPOT nodes."""
    stage = deployment.stage
    return _node_pool(
        "general",
        requirements={
            "eks.amazonaws.com/instance-category": ("c", "m", "r"),
            "eks.amazonaws.com/instance-generation": ("5", "6", "7"),
            "eks.amazonaws.com/instance-cpu": ("2", "4", "8"),
            "karpenter.sh/capacity-type": ("on-demand",),
            "topology.kubernetes.io/zone": stage.zones,
        },
        limits={"cpu": 0 if deployment.paused else stage.general.cpus},
        disruption={
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": GENERAL_EMPTY_AFTER,
        },
    )


def _node_pool(
    name: str,
    *,
    requirements: Mapping[str, Sequence[str]],
    limits: Mapping[str, int],
    disruption: Mapping[str, str],
    taints: Sequence[Mapping[str, str]] = (),
) -> Manifest:
    amd64 = {"kubernetes.io/arch": ("amd64",), "kubernetes.io/os": ("linux",)}
    reference = {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": NODE_CLASS}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {
            "template": {
                "metadata": {"labels": {POOL: name}},
                "spec": {
                    "nodeClassRef": reference,
                    "requirements": [
                        {"key": key, "operator": "In", "values": list(values)}
                        for key, values in {**amd64, **requirements}.items()
                    ],
                    **({"taints": [dict(taint) for taint in taints]} if taints else {}),
                    "expireAfter": EXPIRE_AFTER,
                    "terminationGracePeriod": TERMINATION_GRACE,
                },
            },
            "limits": {resource: str(limit) for resource, limit in limits.items()},
            "disruption": {**disruption, "budgets": list(BUDGETS)},
        },
    }
