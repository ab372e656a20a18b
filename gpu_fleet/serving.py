"""One engine entry, one set of vLLM options: for a pod's container and for a process here.

What differs between the two is a `Placement`; what the engine *is* comes from its entry.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from gpu_fleet.engines import Engine

MIB: Final = 2**20
GIB: Final = 2**30
CONTAINER_PORT: Final = 8000
# In a pod: preStop sleeps 15 s, the server drains 60 s, the grace period is 90 s.
CONTAINER_SHUTDOWN_TIMEOUT_S: Final = 60
LOCAL_SHUTDOWN_TIMEOUT_S: Final = 30
# The Run:ai loader's own limit is above a pod's memory, and such a pod would be killed.
STREAMS: Final = 16
STREAM_BUFFER_GIB: Final = 4


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where an engine runs: weights it finds there, the address it listens on, limits there."""

    model: str
    adapters: Mapping[str, str]
    host: str
    port: int
    max_model_len: int
    gpu_memory_utilization: float
    shutdown_timeout_s: int
    chat_template: str | None = None
    enforce_eager: bool = False
    kv_cache_mib: int | None = None  # None: what is left of the card

    @property
    def streamed(self) -> bool:
        """Weights go from S3 to the card through a small buffer, and touch no disk."""
        return self.model.startswith("s3://")


def in_container(
    engine: Engine,
    *,
    adapters: PurePosixPath,
    chat_template: PurePosixPath,
    port: int = CONTAINER_PORT,
    weights: str | None = None,
) -> Placement:
    """In a pod, with the folder of adapters and the chat template mounted at these paths.

    `weights` is where the model's copy is, as `s3://…`; without it vLLM asks the hub.
    """
    return Placement(
        model=weights or engine.model,
        adapters=_adapter_paths(engine, adapters),
        host="0.0.0.0",  # noqa: S104  (a pod's address is its own; network policy guards it)
        port=port,
        max_model_len=engine.max_model_len,
        gpu_memory_utilization=engine.gpu_memory_utilization,
        shutdown_timeout_s=CONTAINER_SHUTDOWN_TIMEOUT_S,
        chat_template=str(chat_template),
    )


def on_this_machine(engine: Engine, *, models: Path, port: int) -> Placement:
    """As a CPU process, with a tiny model; its tokenizer carries the chat template."""
    return Placement(
        model=str(models / engine.local.model),
        adapters=_adapter_paths(engine, models),
        host="127.0.0.1",
        port=port,
        max_model_len=engine.local.max_model_len,
        # On a CPU this share of a NUMA node's memory is only checked, and must be free; the cache
        # has the size below. Small, so that several engines start beside each other.
        gpu_memory_utilization=0.05,
        kv_cache_mib=engine.local.kv_cache_mib,
        shutdown_timeout_s=LOCAL_SHUTDOWN_TIMEOUT_S,
        enforce_eager=True,
    )


def vllm_arguments(name: str, engine: Engine, placement: Placement) -> list[str]:
    """Arguments of `vllm serve` and of `python -m vllm.entrypoints.openai.api_server` alike.

    The API key is not among them (a process list shows those): it comes as VLLM_API_KEY.
    """
    arguments = [
        f"--model={placement.model}",
        f"--served-model-name={name}",
        f"--host={placement.host}",
        f"--port={placement.port}",
        f"--dtype={engine.dtype}",
        f"--max-model-len={placement.max_model_len}",
        f"--max-num-seqs={engine.max_num_seqs}",
        f"--max-num-batched-tokens={engine.max_num_batched_tokens}",
        f"--gpu-memory-utilization={placement.gpu_memory_utilization}",
        f"--structured-outputs-config={json.dumps(asdict(engine.structured_outputs))}",
        # On SIGTERM requests in flight finish; without it they come back cut off, as a 200.
        f"--shutdown-timeout={placement.shutdown_timeout_s}",
        # Prompts belong in no log; nor does a schema page belong on an engine.
        "--no-enable-log-requests",
        "--disable-uvicorn-access-log",
        "--disable-fastapi-docs",
    ]
    if placement.streamed:
        loader = {"concurrency": STREAMS, "memory_limit": STREAM_BUFFER_GIB * GIB}
        arguments += [
            "--load-format=runai_streamer",
            f"--model-loader-extra-config={json.dumps(loader)}",
        ]
    if placement.chat_template:
        arguments.append(f"--chat-template={placement.chat_template}")
    if placement.kv_cache_mib:
        arguments.append(f"--kv-cache-memory-bytes={placement.kv_cache_mib * MIB}")
    if placement.enforce_eager:
        arguments.append("--enforce-eager")
    if engine.lora:
        arguments += [
            "--enable-lora",
            f"--max-loras={engine.lora.max_loras}",
            f"--max-lora-rank={engine.lora.max_lora_rank}",
            "--lora-modules",
            *(f"{adapter}={path}" for adapter, path in placement.adapters.items()),
        ]
    return arguments


def needed_folders(engine: Engine, models: Path) -> list[Path]:
    """What must lie under `models` before the engine can start here."""
    return [models / engine.local.model, *map(Path, _adapter_paths(engine, models).values())]


def _adapter_paths(engine: Engine, root: PurePath) -> dict[str, str]:
    if engine.lora is None:
        return {}
    return {name: str(root / folder) for name, folder in engine.lora.adapters.items()}
