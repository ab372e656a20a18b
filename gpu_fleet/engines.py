"""The fleet as data: `engines.toml` and `instances.toml`, read strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from gpu_fleet.errors import ConfigError, SetupError
from gpu_fleet.strict_toml import Between, build, read_toml

ENGINES_TOML = Path(__file__).with_name("engines.toml")
INSTANCES_TOML = Path(__file__).with_name("instances.toml")
# A name is a host's and that of Kubernetes' objects.
NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")

Count = Annotated[int, Between(1, 1_000_000)]
Seconds = Annotated[int, Between(1, 3600)]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The shape of a decoder with grouped-query attention and a gated MLP (Llama, Mistral)."""

    layers: Count
    hidden_size: Count
    intermediate_size: Count
    attention_heads: Count
    kv_heads: Count
    head_dim: Count
    vocab_size: Count


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An EC2 instance type; memory in GiB, `gpu_memory_gib` of one GPU as CUDA reports it."""

    gpu: str
    gpus: Count
    gpu_memory_gib: Annotated[float, Between(1, 1024)]
    compute_capability: Annotated[float, Between(5, 20)]
    vcpus: Count
    memory_gib: Annotated[float, Between(1, 24_576)]


@dataclass(frozen=True, kw_only=True)
class Lora:
    max_loras: Annotated[int, Between(1, 64)]
    max_lora_rank: Literal[1, 8, 16, 32, 64, 128, 256, 320, 512]  # what vLLM takes
    adapters: Mapping[str, str]
    versions: Mapping[str, Annotated[int, Between(1, 1_000_000)]] = MappingProxyType({})

    def published(self, adapter: str) -> str:
        """Its folder in the bucket. A version is never overwritten: vLLM would not notice."""
        return f"{self.adapters[adapter]}@{self.versions.get(adapter, 1)}"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """What one pod asks of its node."""

    cpu: Annotated[float, Between(0.1, 192)]
    memory_gib: Annotated[float, Between(0.5, 2048)]


@dataclass(frozen=True, kw_only=True)
class Replicas:
    min: Annotated[int, Between(0, 100)]
    max: Annotated[int, Between(1, 100)]


@dataclass(frozen=True, kw_only=True)
class StructuredOutputs:
    # Without a backend the server dies at start; without disable_any_whitespace a small model
    # spends its tokens on white space.
    backend: Literal["xgrammar", "guidance", "outlines", "lm-format-enforcer"]
    disable_any_whitespace: bool = False


@dataclass(frozen=True, kw_only=True)
class Local:
    """The engine as a CPU process: folder of its tiny model, and limits that a laptop bears."""

    model: str
    max_model_len: Count
    kv_cache_mib: Annotated[int, Between(16, 65_536)]
    startup_budget_s: Seconds


@dataclass(frozen=True, kw_only=True)
class Engine:
    team: str
    model: str
    architecture: str
    quantization: Literal["none", "awq"]
    dtype: Literal["half", "bfloat16"]
    max_model_len: Count
    max_num_seqs: Count
    max_num_batched_tokens: Count
    gpu_memory_utilization: Annotated[float, Between(0.1, 0.98)]
    structured_outputs: StructuredOutputs
    instance_types: tuple[str, ...]
    replicas: Replicas
    startup_budget_s: Seconds
    pod: Pod
    local: Local
    lora: Lora | None = None
    revision: str = "main"


@dataclass(frozen=True, kw_only=True)
class _EnginesFile:
    architectures: Mapping[str, Architecture]
    engines: Mapping[str, Engine]


@dataclass(frozen=True, kw_only=True)
class _InstancesFile:
    instances: Mapping[str, Instance]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    engines: Mapping[str, Engine]
    architectures: Mapping[str, Architecture]
    instances: Mapping[str, Instance]

    def select(self, names: list[str]) -> Mapping[str, Engine]:
        """The named engines in the file's order; all of them where none is named."""
        for name in names:
            if name not in self.engines:
                raise SetupError(f"no engine {name!r}; there are: {', '.join(self.engines)}")
        return {name: self.engines[name] for name in self.engines if not names or name in names}


def load_fleet(engines_toml: Path = ENGINES_TOML, instances_toml: Path = INSTANCES_TOML) -> Fleet:
    engines = build(_EnginesFile, read_toml(engines_toml), str(engines_toml), "")
    instances = build(_InstancesFile, read_toml(instances_toml), str(instances_toml), "")
    fleet = Fleet(
        engines=engines.engines,
        architectures=engines.architectures,
        instances=instances.instances,
    )
    for name, engine in fleet.engines.items():
        if not NAME.fullmatch(name):
            allowed = "small letters, digits and hyphens, 40 at most"
            raise ConfigError(str(engines_toml), f"engines.{name}", f"is no name: {allowed}")
        _check(fleet, engine, str(engines_toml), f"engines.{name}")
    return fleet


def served_models(name: str, engine: Engine) -> tuple[str, ...]:
    """What the engine's `/v1/models` lists: the base under the engine's own name, then adapters."""
    return (name, *(engine.lora.adapters if engine.lora else ()))


def _check(fleet: Fleet, engine: Engine, source: str, key: str) -> None:
    """What no single value shows: names that must resolve and limits that contradict."""
    if engine.architecture not in fleet.architectures:
        known = ", ".join(fleet.architectures)
        raise ConfigError(source, f"{key}.architecture", f"unknown; declared: {known}")
    if not engine.instance_types:
        raise ConfigError(source, f"{key}.instance_types", "must name at least one type")
    for instance in engine.instance_types:
        if instance not in fleet.instances:
            known = ", ".join(fleet.instances)
            raise ConfigError(
                source, f"{key}.instance_types", f"{instance!r} is not in instances.toml: {known}"
            )
    if engine.replicas.min > engine.replicas.max:
        raise ConfigError(source, f"{key}.replicas", "min is above max")
    if engine.lora and (unknown := engine.lora.versions.keys() - engine.lora.adapters.keys()):
        known = ", ".join(engine.lora.adapters)
        named = ", ".join(sorted(unknown))
        raise ConfigError(source, f"{key}.lora.versions", f"no adapter {named}; there are: {known}")
    if engine.lora and len(engine.lora.adapters) > engine.lora.max_loras:
        raise ConfigError(source, f"{key}.lora.max_loras", "is below the number of adapters")
