from pathlib import Path, PurePosixPath

from gpu_fleet.engines import load_fleet
from gpu_fleet.serving import in_container, needed_folders, on_this_machine, vllm_arguments

LORA = load_fleet().engines["mistral-7b-lora"]
MODELS = Path("/models")


def test_an_engine_in_a_container() -> None:
    placement = in_container(
        LORA, adapters=PurePosixPath("/cache/adapters"), chat_template=PurePosixPath("/etc/chat")
    )
    assert vllm_arguments("mistral-7b-lora", LORA, placement) == [
        "--model=TheBloke/Mistral-7B-Instruct-v0.2-AWQ",
        "--served-model-name=mistral-7b-lora",
        "--host=0.0.0.0",
        "--port=8000",
        "--dtype=half",
        "--max-model-len=4096",
        "--max-num-seqs=16",
        "--max-num-batched-tokens=2048",
        "--gpu-memory-utilization=0.9",
        '--structured-outputs-config={"backend": "xgrammar", "disable_any_whitespace": true}',
        "--shutdown-timeout=60",
        "--no-enable-log-requests",
        "--disable-uvicorn-access-log",
        "--disable-fastapi-docs",
        "--chat-template=/etc/chat",
        "--enable-lora",
        "--max-loras=4",
        "--max-lora-rank=32",
        "--lora-modules",
        "lora-v1=/cache/adapters/lora-v1",
        "lora-v2=/cache/adapters/lora-v2",
    ]


def test_here_only_place_and_limits_differ() -> None:
    container = vllm_arguments(
        "mistral-7b-lora",
        LORA,
        in_container(LORA, adapters=PurePosixPath("/a"), chat_template=PurePosixPath("/t")),
    )
    here = vllm_arguments("mistral-7b-lora", LORA, on_this_machine(LORA, models=MODELS, port=81))
    assert [argument for argument in here if argument not in container] == [
        "--model=/models/reference",
        "--host=127.0.0.1",
        "--port=81",
        "--max-model-len=1024",
        "--gpu-memory-utilization=0.05",
        "--shutdown-timeout=30",
        "--kv-cache-memory-bytes=134217728",
        "--enforce-eager",
        "lora-v1=/models/lora-v1",
        "lora-v2=/models/lora-v2",
    ]


def test_an_engine_without_adapters_has_lora_switched_off() -> None:
    awq = load_fleet().engines["mistral-7b-awq"]
    placement = on_this_machine(awq, models=MODELS, port=81)
    arguments = vllm_arguments("mistral-7b-awq", awq, placement)
    assert not any("lora" in argument for argument in arguments)


def test_the_folders_an_engine_needs_here() -> None:
    assert needed_folders(LORA, MODELS) == [
        Path("/models/reference"),
        Path("/models/lora-v1"),
        Path("/models/lora-v2"),
    ]
