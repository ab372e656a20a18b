"""Does an engine fit an instance type? Memory by arithmetic, before anything is deployed.

vLLM gives the KV cache what is left of `gpu_memory_utilization` x the card's memory after weights,
the peak of activations and (since 0.21) CUDA graphs, and won't start if that is less than one
sequence of `max_model_len`. The same sum is made here:

    kv_cache = utilization * gpu_memory - weights - adapters - activations - runtime
"""

from dataclasses import dataclass, replace
from typing import Final

from gpu_fleet.engines import Architecture, Engine, Fleet, Instance, Lora

GIB: Final = 2**30
HALF: Final = 2  # bytes of a float16 or bfloat16
FLOAT32: Final = 4

# Bits a quantizable weight takes. AWQ: 4, and per group of 128 a 16-bit scale and a 4-bit zero.
WEIGHT_BITS: Final = {"none": 16.0, "awq": 4 + (16 + 4) / 128}

# CUDA context and CUDA graphs. vLLM logs print 0.16-0.33 GiB "non_torch_memory" on one 24-80 GB
# card and 0.36 GiB "Estimated CUDA graph memory" for 16 sizes (0.27); rounded up.
RUNTIME_GIB: Final = 1.0

# EKS: kube-reserved memory is 255 MiB + 11 MiB a pod (110 at most on Auto Mode), eviction at
# 100 MiB; 7.5 % of the nominal memory never reaches the guest (Karpenter's default estimate).
VM_OVERHEAD: Final = 0.075
RESERVED_MIB: Final = 255 + 11 * 110 + 100
# Daemons that share the node: DNS cache, log and metric agents.
DAEMONS_CPU: Final = 0.35
DAEMONS_GIB: Final = 0.5

BFLOAT16_CAPABILITY: Final = 8.0
AWQ_CAPABILITY: Final = 7.5  # vLLM 0.32's AWQ get_min_capability()


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Memory in GiB; `reasons` says what stands against it, and is empty where the engine fits."""

    budget: float
    weights: float
    adapters: float
    activations: float
    runtime: float
    kv_cache: float
    kv_tokens: int
    full_sequences: int
    pod_cpu: float
    node_cpu: float
    pod_memory: float
    node_memory: float
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.reasons


def plan(engine: Engine, architecture: Architecture, instance: Instance) -> Fit:
    budget = engine.gpu_memory_utilization * instance.gpu_memory_gib
    weights = weights_bytes(architecture, engine.quantization) / GIB
    adapters = adapter_bytes(architecture, engine.lora) / GIB
    activations = activation_bytes(architecture, engine) / GIB
    kv_cache = budget - weights - adapters - activations - RUNTIME_GIB
    kv_tokens = max(0, int(kv_cache * GIB / kv_bytes_per_token(architecture)))
    fit = Fit(
        budget=budget,
        weights=weights,
        adapters=adapters,
        activations=activations,
        runtime=RUNTIME_GIB,
        kv_cache=kv_cache,
        kv_tokens=kv_tokens,
        full_sequences=min(engine.max_num_seqs, kv_tokens // engine.max_model_len),
        pod_cpu=engine.pod.cpu,
        node_cpu=allocatable_cpu(instance.vcpus) - DAEMONS_CPU,
        pod_memory=engine.pod.memory_gib,
        node_memory=allocatable_memory_gib(instance.memory_gib) - DAEMONS_GIB,
        reasons=(),
    )
    return replace(fit, reasons=_reasons(engine, instance, fit))


def plan_fleet(fleet: Fleet, engine_name: str, instance_name: str) -> Fit:
    engine = fleet.engines[engine_name]
    return plan(engine, fleet.architectures[engine.architecture], fleet.instances[instance_name])


def linear_parameters(shape: Architecture) -> int:
    """Weights of the attention and MLP matrices: what quantization makes smaller."""
    query = shape.attention_heads * shape.head_dim
    key_value = shape.kv_heads * shape.head_dim
    attention = shape.hidden_size * (2 * query + 2 * key_value)
    return shape.layers * (attention + 3 * shape.hidden_size * shape.intermediate_size)


def other_parameters(shape: Architecture) -> int:
    """Embedding, output head and norms, which stay in half precision."""
    embeddings = 2 * shape.vocab_size * shape.hidden_size
    return embeddings + (2 * shape.layers + 1) * shape.hidden_size


def weights_bytes(shape: Architecture, quantization: str) -> float:
    quantizable = linear_parameters(shape) * WEIGHT_BITS[quantization] / 8
    return quantizable + other_parameters(shape) * HALF


def kv_bytes_per_token(shape: Architecture) -> int:
    """A key and a value per layer and KV head."""
    return 2 * shape.layers * shape.kv_heads * shape.head_dim * HALF


def adapter_bytes(shape: Architecture, lora: Lora | None) -> int:
    """Slots for adapters: A (in x rank) and B (rank x out) for each matrix of each layer.

    vLLM allocates all `max_loras` at `max_lora_rank` when it starts, whatever is loaded into them.
    """
    if lora is None:
        return 0
    query = shape.attention_heads * shape.head_dim
    key_value = shape.kv_heads * shape.head_dim
    hidden, intermediate = shape.hidden_size, shape.intermediate_size
    attention = 2 * (hidden + query) + 2 * (hidden + key_value)
    per_rank = shape.layers * (attention + 3 * (hidden + intermediate))
    return lora.max_loras * lora.max_lora_rank * per_rank * HALF


def activation_bytes(shape: Architecture, engine: Engine) -> int:
    """Peak of one step: a full batch of tokens through one MLP, then the logits.

    Per token gate and up side by side, their product and four states of hidden size; per sequence
    logits in float32, copied once by the sampler.
    For Llama-3-8B with 8192 tokens and 256 sequences this says 1.16 GiB; vLLM's own profile
    measured 1.26 GiB (vLLM pull request 10511).
    """
    states = 3 * shape.intermediate_size + 4 * shape.hidden_size
    logits = 2 * engine.max_num_seqs * shape.vocab_size * FLOAT32
    return engine.max_num_batched_tokens * states * HALF + logits


def allocatable_cpu(vcpus: int) -> float:
    """EKS reserves 6 % of core one, 1 % of core two, 0.5 % of two more, 0.25 % of each further."""
    shares = [0.06, 0.01, 0.005, 0.005] + [0.0025] * max(0, vcpus - 4)
    return vcpus - sum(shares[:vcpus])


def allocatable_memory_gib(memory_gib: float) -> float:
    return memory_gib * (1 - VM_OVERHEAD) - RESERVED_MIB / 1024


def _reasons(engine: Engine, instance: Instance, fit: Fit) -> tuple[str, ...]:
    capability, gpu = instance.compute_capability, instance.gpu
    taken = f"{fit.budget - fit.kv_cache:.2f} GiB of {fit.budget:.2f}"
    wanted = f"{engine.max_model_len} tokens"
    against = {
        f"a {gpu} has no bfloat16": (
            engine.dtype == "bfloat16" and capability < BFLOAT16_CAPABILITY
        ),
        f"a {gpu} can't run AWQ": engine.quantization == "awq" and capability < AWQ_CAPABILITY,
        f"{taken} are taken before the KV cache, which needs {wanted} and gets {fit.kv_tokens}": (
            fit.kv_tokens < engine.max_model_len
        ),
        f"the pod asks {fit.pod_cpu:.2f} CPUs, the node has {fit.node_cpu:.2f}": (
            fit.pod_cpu > fit.node_cpu
        ),
        f"the pod asks {fit.pod_memory:.1f} GiB, the node has {fit.node_memory:.1f}": (
            fit.pod_memory > fit.node_memory
        ),
    }
    return tuple(reason for reason, holds in against.items() if holds)
