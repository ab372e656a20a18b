import gzip
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gpu_fleet import plan as planning
from gpu_fleet.__main__ import main
from gpu_fleet.engines import Architecture, Engine, load_fleet
from gpu_fleet.plan import GIB, plan

FLEET = load_fleet()
MISTRAL = FLEET.architectures["mistral-7b"]
FP16 = FLEET.engines["mistral-7b-fp16"]
AWQ = FLEET.engines["mistral-7b-awq"]
LORA = FLEET.engines["mistral-7b-lora"]
T4 = FLEET.instances["g4dn.xlarge"]
A10G = FLEET.instances["g5.xlarge"]


def test_half_precision_weights_are_the_published_files_size() -> None:
    """mistralai/Mistral-7B-Instruct-v0.2: 14,483,464,192 bytes of tensors."""
    assert planning.weights_bytes(MISTRAL, "none") == 14_483_464_192


def test_awq_weights_are_the_published_files_size() -> None:
    """TheBloke/Mistral-7B-Instruct-v0.2-AWQ: one file of 4.15 GB."""
    assert planning.weights_bytes(MISTRAL, "awq") / 1e9 == pytest.approx(4.15, abs=0.005)


def test_a_token_of_mistral_7b_takes_128_kib_of_kv_cache() -> None:
    assert planning.kv_bytes_per_token(MISTRAL) == 128 * 1024


def test_activations_are_near_what_vllm_measured_for_llama_3_8b() -> None:
    """vLLM's own profile: weights 14.96 GiB, activation peak 1.26 GiB at 8192 tokens."""
    llama = Architecture(
        layers=32,
        hidden_size=4096,
        intermediate_size=14336,
        attention_heads=32,
        kv_heads=8,
        head_dim=128,
        vocab_size=128_256,
    )
    engine = replace(FP16, max_num_batched_tokens=8192, max_num_seqs=256)
    assert planning.weights_bytes(llama, "none") / GIB == pytest.approx(14.96, abs=0.01)
    assert planning.activation_bytes(llama, engine) / GIB == pytest.approx(1.26, rel=0.1)


def test_every_engine_fits_every_instance_type_it_names() -> None:
    unfit = [
        (name, instance)
        for name, engine in FLEET.engines.items()
        for instance in engine.instance_types
        if not planning.plan_fleet(FLEET, name, instance).fits
    ]
    assert unfit == []


def test_the_parts_add_up_to_the_budget() -> None:
    fit = plan(LORA, MISTRAL, T4)
    parts = fit.weights + fit.adapters + fit.activations + fit.runtime + fit.kv_cache
    assert parts == pytest.approx(fit.budget)
    assert fit.budget == pytest.approx(0.9 * 14.56)


def test_half_precision_does_not_fit_a_t4_and_the_reason_has_the_numbers() -> None:
    fit = plan(FP16, MISTRAL, T4)
    assert not fit.fits
    assert fit.kv_tokens == 0
    assert fit.reasons == (
        ("14.72 GiB of 13.10 are taken before the KV cache, which needs 4096 tokens and gets 0"),
    )


def test_one_full_sequence_is_the_least_that_fits() -> None:
    tokens = plan(FP16, MISTRAL, A10G).kv_tokens
    assert plan(replace(FP16, max_model_len=tokens), MISTRAL, A10G).full_sequences == 1
    assert not plan(replace(FP16, max_model_len=tokens + 1), MISTRAL, A10G).fits


def test_no_more_full_sequences_are_counted_than_the_engine_batches() -> None:
    assert plan(replace(AWQ, max_num_seqs=2), MISTRAL, A10G).full_sequences == 2


def test_adapter_slots_are_paid_at_full_rank_whether_filled_or_not() -> None:
    assert LORA.lora is not None
    assert planning.adapter_bytes(MISTRAL, None) == 0
    assert planning.adapter_bytes(MISTRAL, LORA.lora) / GIB == pytest.approx(0.625)
    half = replace(LORA.lora, max_loras=2)
    assert planning.adapter_bytes(MISTRAL, half) / GIB == pytest.approx(0.3125)


def test_a_t4_has_no_bfloat16() -> None:
    engine = replace(AWQ, dtype="bfloat16")
    assert plan(engine, MISTRAL, T4).reasons == ("a T4 has no bfloat16",)
    assert plan(engine, MISTRAL, A10G).fits


def test_awq_needs_a_turing_card() -> None:
    volta = replace(T4, gpu="V100", compute_capability=7.0)
    assert plan(AWQ, MISTRAL, volta).reasons == ("a V100 can't run AWQ",)


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        ({"cpu": 3.6}, "the pod asks 3.60 CPUs, the node has 3.57"),
        ({"memory_gib": 13.0}, "the pod asks 13.0 GiB, the node has 12.8"),
    ],
)
def test_a_pod_that_its_node_cannot_hold_is_refused(pod: dict[str, float], reason: str) -> None:
    engine: Engine = replace(AWQ, pod=replace(AWQ.pod, **pod))
    assert plan(engine, MISTRAL, T4).reasons == (reason,)


def test_a_g4dn_xlarge_leaves_3_92_cpus_to_pods() -> None:
    assert planning.allocatable_cpu(4) == pytest.approx(3.92)


def test_instances_are_what_ec2_says_they_are() -> None:
    """Against the copy of DescribeInstanceTypes that moto carries."""
    (moto,) = importlib.util.find_spec("moto").submodule_search_locations  # type: ignore[union-attr,misc]
    with gzip.open(Path(moto) / "ec2" / "resources" / "instance_types.json.gz") as file:
        types = json.load(file)
    for name, instance in FLEET.instances.items():
        described = types[name]
        (gpu,) = described["GpuInfo"]["Gpus"]
        assert (instance.gpu, instance.gpus) == (gpu["Name"], gpu["Count"]), name
        assert instance.vcpus == described["VCpuInfo"]["DefaultVCpus"], name
        assert instance.memory_gib == described["MemoryInfo"]["SizeInMiB"] / 1024, name
        assert instance.gpu_memory_gib <= gpu["MemoryInfo"]["SizeInMiB"] / 1024, name
        assert "spot" in described["SupportedUsageClasses"], name


def test_the_command_prints_the_table_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in FLEET.engines)
    assert "REFUSED" not in printed


def test_the_command_refuses_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--engine", "mistral-7b-fp16", "--instance", "g4dn.xlarge"]) == 1
    printed = capsys.readouterr().out
    assert "REFUSED" in printed
    assert "mistral-7b-fp16 does not fit g4dn.xlarge: 14.72 GiB of 13.10" in printed


def test_the_command_names_the_instance_types_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--instance", "p5.48xlarge"]) == 2
    assert "no instance type 'p5.48xlarge'; there are: g4dn.xlarge, " in capsys.readouterr().err
