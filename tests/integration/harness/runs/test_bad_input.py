"""What can't be asked is told in one line, and leaves nothing behind."""

from pathlib import Path

import click
import pytest
from msgspec.structs import replace

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.errors import (
    GatewayError,
    HarnessError,
    NoStackError,
    PlanError,
    PromptsetError,
    StoreError,
    WrongInput,
)
from harness.promptsets.rows import Request, Row
from harness.runs.folder import RunFolder
from tests.support.harness_runs import command, plan, process, promptset, rows, said

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--promptset", "unheard-of"], PromptsetError, "there is no promptset 'unheard-of'"),
        (["--model", "a", "--team", "b"], WrongInput, "--team and --model"),
        (["--count", "3", "--duration", "3"], WrongInput, "--count and --duration"),
        (["--count", "3", "--repeat", "3"], WrongInput, "--count and --repeat"),
        (["--rate", "3", "--concurrency", "3"], WrongInput, "--concurrency and --rate"),
        (["--poisson"], WrongInput, "--poisson: needs a --rate"),
        (["--concurrency", "0"], click.UsageError, "0 is not in the range"),
        (["--concurrency", "-1"], click.UsageError, "-1 is not in the range"),
        (["--rate", "0"], click.UsageError, "0.0 is not in the range"),
        (["--category", "none"], PromptsetError, "no row has the category 'none'"),
        (["--min-goodput", "1"], PlanError, "give at least one SLO"),
        (["--whole", "--slo-ttft-ms", "1"], PlanError, "only seen in a streamed answer"),
        (["--url", "no address"], PlanError, "is not like http://"),
        (["--url", "http://me:secret@127.0.0.1:9"], PlanError, "more than a host"),
        (["--rate", "inf"], click.UsageError, "inf is not a finite number"),
        (["--timeout", "1e10"], PlanError, "timeout_s"),
        ([], GatewayError, "does not answer"),
    ],
)
def test_what_cannot_be_asked_is_told_and_leaves_nothing(
    basics: list[str],
    tmp_path: Path,
    arguments: list[str],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error) as raised:
        command("run", "--url", NOWHERE, *basics, *arguments)

    assert message in str(raised.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arrivals", "ramp", "--rate", "5"], "--rate is FROM,TO"),
        (["--arrivals", "burst", "--burst", "5"], "needs --every"),
        (["--arrivals", "constant", "--rate", "5", "--concurrency", "1"], "takes no --concurrency"),
        (["--rate", "5,6"], "--arrivals steps for several"),
        (["--rate", "fast"], "--rate fast: numbers above 0 of requests a second"),
        (["--rate", "0"], "--rate 0: numbers above 0"),
        (["--rate", "nan"], "rate"),
        (["--rate", "inf"], "rate"),
        (["--rate", "5", "--duration", "1e10"], "duration_s"),
        (["--burst", "1", "--every", "1e-12", "--duration", "1"], "more than 100,000,000"),
        (["--arrivals", "steps", "--rate", "5,-6"], "--rate 5,-6: numbers above 0"),
    ],
)
def test_arrivals_that_cannot_be(
    basics: list[str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(WrongInput) as raised:
        command("benchmark", "--url", NOWHERE, *basics, *arguments)

    assert message in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_without_a_key_nothing_is_asked(
    basics: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLMO_API_KEY")

    with pytest.raises(NoStackError, match="environment variable LLMO_API_KEY"):
        command("run", "--url", NOWHERE, *basics)

    assert not (tmp_path / "runs").exists()


def test_a_key_that_is_refused(
    engine: FakeServer, basics: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", "another")

    with pytest.raises(GatewayError, match=r"refuses the key \(HTTP 401\)"):
        command("run", "--url", engine.url, *basics)

    assert not (tmp_path / "runs").exists()


def test_an_unknown_model(basics: list[str], tmp_path: Path) -> None:
    with (
        FakeServer(Behaviour(models=("one", "two"))) as engine,
        pytest.raises(WrongInput, match=r"no model 'three'.*there are one, two"),
    ):
        command("run", "--url", engine.url, "--model", "three", *basics)

    assert not (tmp_path / "runs").exists()


def test_a_set_that_was_changed(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    prompts = tmp_path / "set" / "prompts.jsonl"
    prompts.write_bytes(prompts.read_bytes().replace(b"question 1?", b"question 2?"))

    with pytest.raises(PromptsetError, match="sha256"):
        command("run", "--url", engine.url, *basics)

    assert not (tmp_path / "runs").exists()


def test_requests_that_are_wrong_on_purpose_are_no_prompts(
    engine: FakeServer, tmp_path: Path
) -> None:
    bad = Row(
        prompt_id="bad",
        request=Request(kind="malformed", path="/x", raw="{"),
        expect={"status": (400,)},  # type: ignore[arg-type]
        max_tokens=1,
        category="bad",
        split="eval_holdout",
    )
    folder = promptset(tmp_path / "set", (bad,))

    with pytest.raises(PromptsetError, match="suite failures"):
        command(
            *("run", "--url", engine.url, "--promptset", str(folder)),
            *("--output", str(tmp_path / "runs")),
        )


def test_more_warm_up_than_requests(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    said(["[load]", "count = 5"], tmp_path / "plan.toml")

    with pytest.raises(WrongInput, match="a warm-up of 5 leaves nothing of 5"):
        command("run", "--url", engine.url, "--warmup", "5", *basics)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[loads]", "'loads' is no section"),
        ("[load", "plan.toml: "),
        ("load = 3", "load must be a table"),
        ("[load]\ncount = 0", "count"),
        ("[load]\nduration_s = 1\ncount = 1", "either count or duration_s"),
        ("[generation]\ntemprature = 1", "temprature"),
        ("[arm]\napi = 5", "arm: Expected `str | null`, got `int` - at `$.api`"),
        ("[load]\nwarmup = 'x'", "load.warmup is a number of requests"),
        ("[promptset]\ncategory = ['x']", "promptset.category is unknown"),
        ("[promptset]\ncategories = 'capital'", "promptset.categories is a list of names"),
        ("[promptset]\nbuckets = 3", "promptset.buckets is a list of names"),
        ("[promptset]\nbuckets = [3]", "promptset.buckets is a list of names"),
    ],
)
def test_a_plan_file_that_cannot_be_read(
    engine: FakeServer, basics: list[str], tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "plan.toml").write_text(content, "utf-8")

    with pytest.raises(PlanError) as raised:
        command("run", "--url", engine.url, *basics)

    assert message in str(raised.value)


def test_there_is_no_room_for_a_run(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="can't be written: Not a directory"):
        command("run", "--url", engine.url, *basics, "--output", str(tmp_path / "file" / "runs"))


def test_a_run_that_is_resumed_takes_no_other_options(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="leave out --seed"):
        command("run", "--resume", str(tmp_path), "--seed", "3")


def test_a_run_by_many_is_not_resumed_by_one(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", replace(plan(), shards=2), rows())

    with pytest.raises(WrongInput, match="recorded by 2 shards"):
        command("run", "--resume", str(folder.path))


def test_what_is_resumed_has_to_be_a_run(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="is not a run"):
        command("run", "--resume", str(tmp_path))


def test_exit_codes_of_the_process(basics: list[str]) -> None:
    codes = {}
    for name, arguments in {
        "wrong": ["run", "--concurrency", "0"],
        "unknown": ["run", "--promptset", "unheard-of"],
        "away": ["run", "--url", NOWHERE, *basics],
    }.items():
        with process(*arguments) as ended:
            _, told = ended.communicate()
        codes[name] = ended.returncode
        assert "Traceback" not in told

    assert codes == {"wrong": 64, "unknown": 64, "away": HarnessError.exit_code}
