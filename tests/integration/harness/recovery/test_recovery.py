"""The command against toy engines: asked over HTTP, recorded, resumed, judged, shown."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.backends.fake import Behaviour, Fault
from chalicelib.backends.fake.server import FakeServer
from harness.errors import GatewayError, NoStackError, PromptsetError, StoreError, WrongInput
from harness.promptsets import manifest as manifests
from harness.promptsets.manifest import Generator, describe
from harness.promptsets.rows import encoded
from harness.recovery.commands import recovery
from harness.recovery.results import Recovery
from harness.verdict import Verdict
from tests.support.http_server import Answered, Asked
from tests.support.recovery_runs import toy_rows
from tests.support.toy_language_model import ToyModel, toy_engine

Run = Callable[..., tuple[int, Recovery]]


@pytest.fixture(scope="module")
def promptset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promptset")
    rows = toy_rows(60)
    manifest = describe(
        rows,
        name="toy",
        version=1,
        description="what the toy says",
        seed=0,
        generator=Generator(name="toy"),
        tokens=None,
        context=64,
    )
    (folder / manifests.ROWS).write_bytes(encoded(rows))
    (folder / manifests.FILE).write_bytes(manifests.encode(manifest))
    return folder


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMO_API_KEY", "any")  # the engines here ask for none


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    with toy_engine(ToyModel()) as url:
        yield url


@pytest.fixture
def run(promptset: Path, tmp_path: Path) -> Run:
    """Runs the command: exit code, and what it wrote."""

    def go(reference: str, candidate: str, *options: str) -> tuple[int, Recovery]:
        code = recovery.main(
            [
                *("--reference-url", reference, "--candidate-url", candidate),
                *("--promptset", f"{promptset}/", "--output", str(tmp_path), "--timings", "0"),
                *options,
            ],
            standalone_mode=False,
        )
        return int(code), result(tmp_path)

    return go


def result(runs: Path) -> Recovery:
    (path,) = runs.glob("*/recovery.json")
    return msgspec.json.decode(path.read_bytes(), type=Recovery)


def test_the_same_model_twice_passes(run: Run, reference: str, tmp_path: Path) -> None:
    code, found = run(reference, reference)

    assert (code, found.verdict) == (0, Verdict.PASS)
    assert found.plan.reference.model == "toy"
    assert found.plan.is_one_model
    assert found.arms[0].memory.kv_cache == 134_217_728
    assert found.arms[0].memory.server == 650_000_000
    assert found.arms[0].memory.weights is None
    (page,) = tmp_path.glob("*/report.html")
    shown = page.read_text("utf-8")
    assert "Quality recovery" in shown
    assert "<svg" in shown


def test_a_nearly_equal_model_passes_and_ranks_below_the_floor(run: Run, reference: str) -> None:
    with toy_engine(ToyModel(noise=0.02)) as candidate:
        code, found = run(reference, candidate, "--timings", "5")

    assert (code, found.verdict) == (0, Verdict.PASS)
    assert found.floor.fidelity is not None
    assert found.candidate.fidelity is not None
    assert found.floor.fidelity.kl.value == 0 < found.candidate.fidelity.kl.value
    assert found.candidate.speed is not None
    assert found.candidate.speed.turns == 5
    assert found.candidate.speed.latency is None
    assert found.arms[2].timing is not None


def test_a_damaged_model_fails(run: Run, reference: str) -> None:
    with toy_engine(ToyModel(noise=4)) as candidate:
        code, found = run(reference, candidate)

    assert (code, found.verdict) == (1, Verdict.FAIL)


def test_a_model_that_answers_500_to_everything_fails(run: Run, reference: str) -> None:
    with FakeServer(Behaviour(fault="status")) as candidate:
        code, found = run(reference, candidate.url, "--candidate", "toy")

    assert (code, found.verdict) == (1, Verdict.FAIL)
    assert found.candidate.quality is not None
    assert found.candidate.quality.other.value == 0
    assert found.arms[2].errors == {"http_5xx": 120}


@pytest.mark.parametrize("fault", ["abort", "garbage", "no_choices"])
def test_answers_that_are_none_are_errors_and_never_quality(
    run: Run, reference: str, fault: Fault
) -> None:
    with FakeServer(Behaviour(fault=fault)) as candidate:
        code, found = run(reference, candidate.url, "--candidate", "toy")

    assert code in {1, 3}
    assert found.candidate.quality is not None
    assert found.candidate.quality.other.count == 0


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_log_probabilities_that_are_no_numbers_are_errors_and_never_agreement(
    run: Run, reference: str, number: str
) -> None:
    """So does a model whose arithmetic broke; what it says is right all the same."""

    def broken(_asked: Asked, body: dict[str, Any]) -> Answered | None:
        if "prompt_logprobs" not in body:
            return None
        told = f'{{"7": {{"logprob": {number}, "rank": 1}}}}'
        places = ", ".join(["null", *([told] * (len(body["prompt"]) - 1))])
        choice = f'{{"finish_reason": "length", "prompt_logprobs": [{places}]}}'
        return Answered(body=f'{{"model": "toy", "choices": [{choice}]}}'.encode())

    with toy_engine(ToyModel(), broken) as candidate:
        code, found = run(reference, candidate)

    assert found.verdict is not Verdict.PASS
    assert code == found.verdict.exit_code
    assert found.candidate.fidelity is None
    assert found.arms[2].errors


def test_an_answer_that_is_no_text_is_an_error(run: Run, reference: str) -> None:
    def half_a_character(_asked: Asked, body: dict[str, Any]) -> Answered | None:
        if not body.get("return_token_ids"):
            return None
        choice = r'{"message": {"content": "\ud800"}, "finish_reason": "stop", "token_ids": [1]}'
        return Answered(body=f'{{"choices": [{choice}], "prompt_token_ids": [1]}}'.encode())

    with toy_engine(ToyModel(), half_a_character) as candidate:
        code, found = run(reference, candidate)

    assert (code, found.verdict) == (1, Verdict.FAIL)


def test_an_engine_that_tells_no_log_probabilities_is_invalid(run: Run, reference: str) -> None:
    def silent(_asked: Asked, body: dict[str, Any]) -> Answered | None:
        if "prompt_logprobs" not in body:
            return None
        choice = {"text": "", "finish_reason": "length", "prompt_logprobs": None}
        return Answered(body=json.dumps({"model": "toy", "choices": [choice]}).encode())

    with toy_engine(ToyModel(), silent) as candidate:
        code, found = run(reference, candidate)

    assert (code, found.verdict) == (3, Verdict.INVALID)
    assert found.arms[2].errors == {"no prompt_logprobs": 60}


def test_a_fake_engine_against_itself_is_the_same_in_every_token(run: Run) -> None:
    """Its words answer no row: the run is INVALID for that, and the fidelity still perfect."""
    with FakeServer() as one, FakeServer() as other:
        code, found = run(one.url, other.url, "--reference", "toy", "--candidate", "toy")

    assert code == 3
    assert found.candidate.fidelity is not None
    assert found.candidate.fidelity.kl.value == 0
    assert found.candidate.fidelity.top1.value == 1
    assert found.candidate.divergence is not None
    assert found.candidate.divergence.identical == 60


def test_a_run_that_was_killed_goes_on_where_it_was(
    run: Run, reference: str, tmp_path: Path
) -> None:
    asked: list[str] = []

    def count(request: Asked, _body: dict[str, Any]) -> Answered | None:
        asked.append(request.path)
        return None

    with toy_engine(ToyModel(noise=0.02), count) as candidate:
        run(reference, candidate, "--timings", "2")
        (folder,) = tmp_path.iterdir()
        whole = (folder / "recovery.jsonl").read_bytes()
        lines = whole.splitlines(keepends=True)
        kept = lines[: len(lines) // 2]
        (folder / "recovery.jsonl").write_bytes(b"".join(kept) + b'{"type":"gener')
        (folder / "recovery.json").unlink()
        asked.clear()
        code = recovery.main(["--resume", str(folder)], standalone_mode=False)

    found = result(tmp_path)
    lost = [json.loads(line) for line in lines[len(kept) :]]
    again = sum(
        {"generated": 1, "scored": 1, "timed": 2, "batch": 4, "footprint": 0}[one["type"]]
        for one in lost
        if one["arm"] == "candidate"
    )
    assert code == 0
    assert found.recorded == found.planned == len(lines)
    assert found.findings[-1].verdict is Verdict.PASS
    assert len(asked) == again


def test_what_was_not_observed_twice_is_the_same_again(
    run: Run, reference: str, tmp_path: Path
) -> None:
    """Nothing is asked of a run that is whole: the result is derived from what is there."""
    with toy_engine(ToyModel(noise=0.5)) as candidate:
        _, before = run(reference, candidate)
    (folder,) = tmp_path.iterdir()

    recovery.main(["--resume", str(folder)], standalone_mode=False)

    assert result(tmp_path) == before


def test_without_a_key_nothing_is_asked(
    run: Run, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", "")

    with pytest.raises(NoStackError, match=f"no key for {reference}: put one in"):
        run(reference, reference)

    assert not list(tmp_path.iterdir())


def test_nobody_there_is_told_and_nothing_is_written(
    run: Run, reference: str, tmp_path: Path
) -> None:
    with FakeServer() as gone:
        url = gone.url

    with pytest.raises(GatewayError, match=r"does not answer \(ConnectError\)"):
        run(reference, url)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (["--candidate-url", "ftp://x"], WrongInput, "is no address"),
        (["--promptset", "nonsense"], PromptsetError, "there is no promptset 'nonsense'"),
        (["--category", "poetry"], PromptsetError, "no row has the category 'poetry'"),
        (["--candidate-weights", "tests"], WrongInput, "holds no weights"),
        (["--gateway", "nonsense"], WrongInput, "is no address"),
    ],
)
def test_wrong_input_is_told(
    run: Run, reference: str, options: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run(reference, reference, *options)


def test_a_model_that_an_engine_doesn_t_serve_is_told(run: Run, reference: str) -> None:
    with (
        FakeServer(Behaviour(models=("served",))) as candidate,
        pytest.raises(WrongInput, match=r"other at .*: 404 The model `other` does not exist"),
    ):
        run(reference, candidate.url, "--candidate", "other")


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no recovery run"):
        recovery.main(["--resume", str(tmp_path)], standalone_mode=False)


def test_the_size_of_weights_is_that_of_their_files(
    run: Run, reference: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.safetensors").write_bytes(b"\0" * 1234)
    (folder / "config.json").write_text("{}")

    _, found = run(reference, reference, "--candidate-weights", str(folder))

    assert found.arms[2].memory.weights == 1234
