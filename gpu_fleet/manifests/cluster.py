"""What engines find around them, and what they are called there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gpu_fleet.engines import Engine, Fleet
from gpu_fleet.errors import SetupError

Object = dict[str, Any]
Objects = list[Object]

# Tags, never `latest`. A digest goes behind it: `…:v0.32.0@sha256:…`.
VLLM_IMAGE: Final = "vllm/vllm-openai:v0.32.0"
AWS_IMAGE: Final = "public.ecr.aws/aws-cli/aws-cli:2.31.9"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Values may be placeholders that are only known when all is deployed; but for `services`
    none is looked into.
    """

    namespace: str
    region: str
    bucket: str
    """Of weights and adapters."""
    engine_keys: Mapping[str, str]
    """By engine: name or ARN of the secret that it asks callers for."""
    hub_token: str
    """Name or ARN of the secret that the model hub asks for."""
    chat_template: str
    gpus: int
    """That the stage may have, at most."""
    network: str
    """CIDR of everything inside; what is outside of it is the internet."""
    services: str
    """CIDR of the cluster's services."""
    balancers: tuple[str, ...]
    """CIDRs in which the load balancer has its addresses."""
    target_groups: Mapping[str, str] = field(default_factory=dict)
    """ARN by engine; an engine without one is not behind a load balancer."""
    prometheus: str = "http://prometheus.observability.svc:9090"
    idle_timeout_s: int = 60
    """After which the load balancer closes an idle connection."""
    paused: bool = False

    @property
    def weights(self) -> str:
        return f"s3://{self.bucket}"


def example(fleet: Fleet) -> Cluster:
    """For those who only want to look; secrets are called as in the stage dev."""
    return Cluster(
        namespace="llm-baseline",
        region="us-west-2",
        bucket="BUCKET-OF-WEIGHTS",
        engine_keys={name: f"llmo/dev/engine-key/{name}" for name in fleet.engines},
        hub_token="llmo/dev/hub-token",  # noqa: S106  (a name)
        chat_template="",
        gpus=4,
        network="10.0.0.0/16",
        services="172.20.0.0/16",
        balancers=("10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26"),
    )


def model_prefix(engine: Engine) -> str:
    """Of the model's copy in the bucket: `models/<hub id>/<revision>`."""
    return f"models/{engine.model}/{engine.revision}"


def published(engine: Engine) -> dict[str, str]:
    """An adapter's served name -> its folder, in the bucket and in the pod alike."""
    lora = engine.lora
    return {adapter: lora.published(adapter) for adapter in lora.adapters} if lora else {}


def adapter_prefixes(engine: Engine) -> tuple[str, ...]:
    return tuple(f"adapters/{folder}" for folder in published(engine).values())


def labels(name: str, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llmo",
    }


def selector(marks: Mapping[str, str]) -> dict[str, str]:
    """Of the labels those that never change: a Deployment can't choose its pods anew."""
    kept = ("app.kubernetes.io/name", "app.kubernetes.io/component")
    return {label: marks[label] for label in kept}


def metadata(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    return {"name": name, "namespace": cluster.namespace, "labels": dict(marks)}


def spare_gpus(fleet: Fleet, cluster: Cluster) -> int:
    """GPUs left when each engine has its fewest replicas; raises SetupError where none suffice."""
    fewest = {name: engine.replicas.min for name, engine in fleet.engines.items()}
    if sum(fewest.values()) > cluster.gpus:
        wanted = ", ".join(f"{name} {count}" for name, count in fewest.items())
        raise SetupError(
            f"engines want {sum(fewest.values())} GPUs at least ({wanted}), "
            f"the stage may have {cluster.gpus}"
        )
    return cluster.gpus - sum(fewest.values())
