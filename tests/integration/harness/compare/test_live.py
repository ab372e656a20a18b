"""Two models asked now, interleaved: fake engines of known pace, and teams of a gateway."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.compare.comparing import Asked, compare
from harness.compare.live import prepared_pair
from harness.compare.results import Comparison
from harness.compare.sides import Run, sides
from harness.compare.variants import ab
from harness.errors import WrongInput
from harness.runs.execute import execute
from harness.runs.folder import RunFolder
from harness.runs.planning import Document
from harness.stage import Stage
from harness.verdict import Verdict
from tests.integration.conftest import Stack
from tests.support.harness_runs import FORGIVING, command, promptset, rows, said

ENGINE_KEY = "an-engine's-key"


@pytest.fixture
def engines() -> Iterator[dict[str, FakeServer]]:
    """`slow` takes 80 ms to its first token, `fast` 4 ms, `wrong` knows nothing."""
    with (
        FakeServer(_behaviour("yes 4", 0.08)) as slow,
        FakeServer(_behaviour("yes 4", 0.004)) as fast,
        FakeServer(_behaviour("no idea", 0.004)) as wrong,
    ):
        yield {"slow": slow, "fast": fast, "wrong": wrong}


@pytest.fixture
def stack(engines: dict[str, FakeServer]) -> Stage:
    return Stage(
        gateway_url="http://127.0.0.1:9",
        engines={name: server.url for name, server in engines.items()},
        engine_api_key=ENGINE_KEY,
        local=True,
    )


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return {
        "promptset": {"name": str(promptset(tmp_path / "set", rows(40)))},
        "load": {"arrivals": {"type": "closed", "concurrency": 2}, "warmup": 2},
        "validity": FORGIVING,
    }


def compared(stack: Stage, document: Document, path: Path, *names: str) -> Comparison:
    plan, asked, keys = prepared_pair(
        f"engine:{names[0]}", f"engine:{names[1]}", document, 2, stack
    )
    folder = RunFolder.create(path / plan.run_id, plan, asked)
    execute(folder, keys)
    return compare(*sides(folder.path), Asked(margin=0.2, max_slowdown=1.5))


def test_a_faster_engine_of_the_same_answers_is_found_faster_and_not_inferior(
    stack: Stage, document: Document, tmp_path: Path
) -> None:
    found = compared(stack, document, tmp_path, "slow", "fast")
    assert found.verdict is Verdict.PASS, found.findings
    assert (found.reference.label, found.candidate.label) == ("slow", "fast")
    assert found.quality is not None
    assert (found.quality.flips.both, found.quality.prompts) == (80, 40)
    assert found.speed.shifts["time to first token p50"].ratio.high < 1
    assert found.candidate.figures.errors == {}


def test_an_engine_that_knows_nothing_fails(
    stack: Stage, document: Document, tmp_path: Path
) -> None:
    found = compared(stack, document, tmp_path, "slow", "wrong")
    assert found.verdict is Verdict.FAIL
    assert found.quality is not None
    assert found.quality.flips.lost == 80
    assert found.quality.lost[0].candidate == "no idea"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("engine:slow", "engine:slow"), "named twice"),
        (("engine:slow", "engine:nobody"), "the local stack has slow, fast, wrong"),
    ],
)
def test_what_can_not_be_asked_is_refused(
    stack: Stage, document: Document, names: tuple[str, str], told: str
) -> None:
    with pytest.raises(WrongInput, match=told):
        prepared_pair(*names, document, 1, stack)


def test_variants_of_a_gateway_are_compared_from_the_command_line(
    shipped: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", shipped.key("invoke", "pin", teams=("finetune",)))
    code = command(
        "compare",
        *("--reference", "finetune/lora-v1", "--candidate", "finetune/lora-v2"),
        *("--gateway", shipped.gateway.url, "--promptset", str(promptset(tmp_path / "set"))),
        *("--plan", str(said([], tmp_path / "plan.toml")), "--output", str(tmp_path / "runs")),
    )
    (path,) = (tmp_path / "runs").iterdir()
    found = msgspec.json.decode((path / "compare.json").read_bytes(), type=Comparison)
    assert found.verdict.exit_code == code
    assert found.reference.figures.variants == {"lora-v1": 20}
    assert found.candidate.figures.variants == {"lora-v2": 20}
    assert (path / "report.html").exists()
    assert (path / "compare.html").exists()


def test_a_gateway_that_is_none_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="--gateway 'nonsense' is no address"):
        command(
            "compare",
            *("--reference", "quant", "--candidate", "finetune", "--promptset", "tiny"),
            *("--gateway", "nonsense", "--output", str(tmp_path / "runs")),
        )
    assert not (tmp_path / "runs").exists()


def test_a_teams_split_is_reported_by_variant(
    shipped: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", shipped.key("invoke", teams=("finetune",)))
    command(
        "run",
        *("--url", shipped.gateway.url, "--team", "finetune", "--repeat", "10"),
        *("--promptset", str(promptset(tmp_path / "set")), "--no-report"),
        *("--plan", str(said([], tmp_path / "plan.toml")), "--output", str(tmp_path / "runs")),
    )
    (path,) = (tmp_path / "runs").iterdir()
    found = ab(Run.read(path), (), {"lora-v1": 80, "lora-v2": 20}, 0.02)
    assert sum(one.requests for one in found.variants) == 200
    assert found.sample_ratio_p is not None
    assert found.sample_ratio_p > 0.001
    assert (found.winner, found.unattributed) == ("", 0)


def _behaviour(answer: str, first_s: float) -> Behaviour:
    return Behaviour(answer=answer, time_to_first_token_s=first_s, api_key=ENGINE_KEY)
