"""The fleet as Kubernetes objects: pure functions from an engine's entry and its cluster."""

from gpu_fleet.manifests.cluster import Cluster, Objects, adapter_prefixes, example, model_prefix
from gpu_fleet.manifests.engine import engine_objects, service_account
from gpu_fleet.manifests.weights import WEIGHTS_ACCOUNT, weights_objects

__all__ = [
    "WEIGHTS_ACCOUNT",
    "Cluster",
    "Objects",
    "adapter_prefixes",
    "engine_objects",
    "example",
    "model_prefix",
    "service_account",
    "weights_objects",
]
