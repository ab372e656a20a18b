"""What differs between stages, as plain values: these modules know nothing of AWS."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAMESPACE: Final = "observability"
ENGINES: Final = "llm-baseline"
GPUS: Final = "gpu-metrics"
# Whose pods are watched, and whose logs are kept.
NAMESPACES: Final = ("eval", "finetune", GPUS, ENGINES, NAMESPACE, "platform", "quant")
CONFIG: Final = Path(__file__).with_name("config")
DASHBOARDS: Final = Path(__file__).parents[3] / "grafana/dashboards"

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    region: str
    cidr: str
    """Of the stage's network: nodes and the API server have addresses in it."""
    balancers: tuple[str, ...]
    """CIDRs in which the load balancer has its addresses, and no pod has."""
    service_cidr: str
    topic_arn: str
    """Of SNS, where alerts go."""
    grafana_secret_arn: str
    collector_target_group_arn: str
    gpus: int
    """Nodes with one that there may be."""
    paused: bool = False

    @property
    def one(self) -> int:
        """Replicas of what must not run twice."""
        return 0 if self.paused else 1

    @property
    def two(self) -> int:
        """Replicas of what should outlive a node."""
        return 0 if self.paused else 2
