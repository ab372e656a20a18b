"""On which nodes an engine runs."""

from collections.abc import Mapping
from typing import Final

from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import Object

POOL: Final = "llmo/pool"
GPU_POOL: Final = "gpu"
GENERAL_POOL: Final = "general"
ENGINE: Final = "engine"


def affinity(engine: Engine) -> Object:
    """A node that fits the engine, and no other engine on it."""
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [
                            _is_in(POOL, [GPU_POOL]),
                            _is_in("node.kubernetes.io/instance-type", list(engine.instance_types)),
                        ]
                    }
                ]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "labelSelector": {"matchLabels": {"app.kubernetes.io/component": ENGINE}},
                    "topologyKey": "kubernetes.io/hostname",
                }
            ]
        },
    }


def tolerations() -> list[Object]:
    return [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def spread(marks: Mapping[str, str]) -> list[Object]:
    """SPOT capacity goes zone by zone; where only one zone has any, so be it."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(marks)},
        }
    ]


def _is_in(key: str, values: list[str]) -> Object:
    return {"key": key, "operator": "In", "values": values}
