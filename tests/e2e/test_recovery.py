"""The recovery report on the tiny family: it tells a 4-bit model from a damaged one."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import msgspec
import pytest

from gpu_fleet.engine_process import Launch, reserve_port, start, stop, wait_until_serving
from gpu_fleet.engines import load_fleet
from gpu_fleet.local import Workplace, launch_of
from harness.local.layout import Layout
from harness.recovery.commands import recovery
from harness.recovery.results import Recovery
from harness.verdict import Verdict
from tests.e2e.platform import Platform
from tests.support.damaged_model import damage

pytestmark = pytest.mark.engines

ENGINE = "mistral-7b-fp16"
STRENGTH = 0.5
STOP_WITHIN_S = 5
NOT_TIMED = ("--timings", "0")

Run = Callable[..., tuple[int, Recovery]]


@pytest.fixture
def run(platform: Platform, tmp_path: Path) -> Run:
    """The command against the running stack."""
    del platform

    def go(*options: str) -> tuple[int, Recovery]:
        arguments = ["--promptset", "tiny", "--output", str(tmp_path), *options]
        code = recovery.main(arguments, standalone_mode=False)
        (written,) = tmp_path.glob("*/recovery.json")
        assert (written.parent / "report.html").stat().st_size > 10_000
        return int(code), msgspec.json.decode(written.read_bytes(), type=Recovery)

    return go


@pytest.fixture(scope="module")
def damaged(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an engine that serves the reference with noise on its weights."""
    models = tmp_path_factory.mktemp("models")
    damage(layout.build / "models" / "reference", models / "damaged", strength=STRENGTH)
    engine = load_fleet().engines[ENGINE]
    workplace = Workplace(
        environment=layout.root / ".venvs" / "engine",
        models=models,
        logs=models,
        cache=layout.build / "cache",
    )
    with reserve_port() as port, asyncio.Runner() as runner:
        launch = launch_of(
            "damaged",
            replace(engine, local=replace(engine.local, model="damaged", kv_cache_mib=32)),
            port=port.getsockname()[1],
            workplace=workplace,
        )
        process = runner.run(_serving(launch))
        try:
            yield launch.url
        finally:
            runner.run(stop(process, STOP_WITHIN_S))


async def _serving(launch: Launch) -> asyncio.subprocess.Process:
    process = await start(launch)
    try:
        async with aiohttp.ClientSession() as http:
            await wait_until_serving(launch, process, http)
    except BaseException:
        await stop(process, 0)
        raise
    return process


def test_the_4_bit_model_passes_and_ranks_below_the_reference_against_itself(run: Run) -> None:
    code, found = run("--reference", "reference", "--candidate", "quant", "--timings", "5")

    assert (code, found.verdict) == (0, Verdict.PASS), found.findings
    own, floor = found.candidate.fidelity, found.floor.fidelity
    assert own is not None
    assert floor is not None
    assert own.kl.low > floor.kl.high
    assert own.positions > 100
    assert found.candidate.quality is not None
    assert found.candidate.quality.reference.value > 0.9
    weights = {arm.arm: arm.memory.weights for arm in found.arms}
    assert weights["candidate"] is not None
    assert weights["reference"] is not None
    assert weights["candidate"] < weights["reference"]
    assert {arm.arm: list(arm.variants) for arm in found.arms} == {
        "reference": ["fp16"],
        "repeat": ["fp16"],
        "candidate": ["awq"],
    }
    assert found.candidate.speed is not None
    assert found.candidate.speed.throughput is None
    assert found.arms[0].timing is not None


def test_the_same_model_twice_is_never_fail(run: Run) -> None:
    code, found = run("--reference", "reference", "--candidate", "reference", *NOT_TIMED)

    assert (code, found.verdict) == (0, Verdict.PASS), found.findings


def test_a_damaged_model_fails(
    run: Run, platform: Platform, damaged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both engines are asked directly: with their addresses instead of a gateway."""
    monkeypatch.setenv("LLMO_API_KEY", "any")  # the damaged one asks for none
    reference = platform.state.engines[ENGINE]
    code, found = run(
        *("--reference-url", reference, "--candidate-url", damaged),
        *("--candidate", "damaged", "--reference", ENGINE),
        *("--rows", "30", *NOT_TIMED),
    )

    assert (code, found.verdict) == (1, Verdict.FAIL), found.findings
    failed = {one.name for one in found.findings if one.verdict is Verdict.FAIL}
    assert {"quality recovery", "KL divergence"} <= failed
    assert found.floor.fidelity is not None
    assert found.candidate.fidelity is not None
    assert found.candidate.fidelity.kl.low > 10 * found.floor.fidelity.kl.high
