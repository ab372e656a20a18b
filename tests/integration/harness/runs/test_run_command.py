"""`run` and `benchmark` against an engine, from the command line to the verdict."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

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
from harness.summary import Summary
from harness.verdict import Verdict
from tests.support.harness_runs import KEY, command, process, promptset, rows, said

RIGHT = Behaviour(answer="yes 4", time_to_first_token_s=0.002, api_key=KEY)


@pytest.fixture
def engine() -> Iterator[FakeServer]:
    with FakeServer(RIGHT) as server:
        yield server


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMO_API_KEY", KEY)


@pytest.fixture
def basics(tmp_path: Path) -> list[str]:
    """What every command here is given: a set, a forgiving plan, a place for runs."""
    return [
        "--promptset",
        str(promptset(tmp_path / "set")),
        "--plan",
        str(said([], tmp_path / "plan.toml")),
        "--output",
        str(tmp_path / "runs"),
        "--no-report",
    ]


def only_run(tmp_path: Path) -> RunFolder:
    (path,) = (tmp_path / "runs").iterdir()
    return RunFolder(path)


def summary_of(folder: RunFolder) -> Summary:
    summary = folder.summary
    assert summary is not None
    return summary


def verdicts(summary: Summary) -> dict[str, Verdict]:
    return {finding.name: finding.verdict for finding in summary.findings}


def test_right_answers_pass_and_all_is_kept(
    engine: FakeServer, basics: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    often = ["--repeat", "3", "--warmup", "5", "--min-pass-rate", "0.8"]

    code = command("run", "--url", engine.url, *often, *basics[:-1])

    folder = only_run(tmp_path)
    summary = summary_of(folder)
    (arm,) = summary.arms
    assert (code, summary.verdict) == (0, Verdict.PASS)
    assert (summary.planned, summary.recorded, arm.requests) == (65, 65, 60)
    assert arm.pass_rate is not None
    assert (arm.pass_rate.count, arm.pass_rate.of) == (60, 60)
    assert set(arm.by_category) == {"even", "odd"}
    assert arm.ttft is not None
    assert folder.rows == rows()
    assert folder.plan.arms[0].stream
    assert {"plan.json", "prompts.jsonl", "records", "health", "summary.json", "report.html"} <= {
        path.name for path in folder.path.iterdir()
    }
    told = capsys.readouterr().out
    assert "PASS" in told
    assert str(folder.path) in told


def test_the_key_is_nowhere_in_a_run(
    engine: FakeServer, basics: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("run", "--url", engine.url, *basics)

    kept = b"".join(
        path.read_bytes() for path in only_run(tmp_path).path.rglob("*") if path.is_file()
    )
    assert KEY.encode() not in kept
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err


def test_wrong_answers_fail(basics: list[str], tmp_path: Path) -> None:
    with FakeServer(Behaviour(answer="no")) as engine:
        code = command("run", "--url", engine.url, *basics)

    summary = summary_of(only_run(tmp_path))
    assert code == 1
    assert verdicts(summary)["pass rate"] is Verdict.FAIL
    assert verdicts(summary)["ledger"] is Verdict.PASS
    assert summary.arms[0].error_rate.count == 0


def test_a_model_that_answers_500_to_everything_fails(basics: list[str], tmp_path: Path) -> None:
    with FakeServer(Behaviour(fault="status", status=500)) as engine:
        code = command("run", "--url", engine.url, *basics)

    summary = summary_of(only_run(tmp_path))
    (arm,) = summary.arms
    assert (code, summary.verdict) == (1, Verdict.FAIL)
    assert arm.errors == {"http_5xx": 20}
    assert arm.pass_rate is not None
    assert arm.pass_rate.value == 0
    assert arm.latency is None
    assert {name for name, found in verdicts(summary).items() if found is Verdict.FAIL} == {
        "answers",
        "error rate",
        "pass rate",
    }


def test_a_model_that_fails_under_benchmark_fails_too(basics: list[str], tmp_path: Path) -> None:
    with FakeServer(Behaviour(fault="status", status=503)) as engine:
        code = command("benchmark", "--url", engine.url, "--count", "20", *basics)

    assert code == 1
    assert verdicts(summary_of(only_run(tmp_path)))["answers"] is Verdict.FAIL


def test_few_answers_decide_nothing(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    code = command("run", "--url", engine.url, "--count", "5", *basics)

    (finding, *_) = summary_of(only_run(tmp_path)).findings
    assert code == 2
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "too few to tell: it takes 35 " in finding.reason


@pytest.mark.parametrize(
    ("arguments", "planned"),
    [
        (["--rate", "200", "--count", "30"], 30),
        (["--arrivals", "poisson", "--rate", "200", "--count", "30"], 30),
        (["--arrivals", "ramp", "--rate", "0,100", "--duration", "0.5"], 25),
        (["--arrivals", "steps", "--rate", "40,80", "--duration", "0.5"], 30),
        (["--burst", "10", "--every", "0.1", "--count", "30"], 30),
        (["--concurrency", "4", "--count", "30"], 30),
    ],
)
def test_a_benchmark_sends_what_was_planned(
    engine: FakeServer, basics: list[str], tmp_path: Path, arguments: list[str], planned: int
) -> None:
    code = command("benchmark", "--url", engine.url, "--max-error-rate", "0.2", *arguments, *basics)

    summary = summary_of(only_run(tmp_path))
    assert (code, summary.planned, summary.recorded) == (0, planned, planned)
    assert verdicts(summary)["ledger"] is Verdict.PASS
    assert summary.arms[0].pass_rate is None


def test_a_benchmark_by_time_counts_what_was_asked(
    engine: FakeServer, basics: list[str], tmp_path: Path
) -> None:
    command("benchmark", "--url", engine.url, "--duration", "1", *basics)

    summary = summary_of(only_run(tmp_path))
    assert summary.planned == summary.recorded > 0
    assert verdicts(summary)["ledger"] is Verdict.PASS


def test_objectives_and_goodput(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    arguments = ["--slo-latency-ms", "60000", "--slo-ttft-ms", "0.001", "--min-goodput", "0.5"]

    code = command("benchmark", "--url", engine.url, "--count", "20", *arguments, *basics)

    summary = summary_of(only_run(tmp_path))
    assert code == 1
    assert verdicts(summary)["goodput"] is Verdict.FAIL


def test_an_open_loop_that_is_overrun_is_invalid(basics: list[str], tmp_path: Path) -> None:
    with FakeServer(Behaviour(latency_s=0.5)) as engine:
        code = command(
            *("benchmark", "--url", engine.url, "--rate", "100", "--count", "20"),
            *("--max-in-flight", "2", *basics),
        )

    summary = summary_of(only_run(tmp_path))
    assert code == 3
    assert verdicts(summary)["in flight"] is Verdict.INVALID
    assert verdicts(summary)["ledger"] is Verdict.PASS


def test_a_finished_run_is_not_asked_again(
    engine: FakeServer, basics: list[str], tmp_path: Path
) -> None:
    command("run", "--url", engine.url, *basics)
    folder = only_run(tmp_path)
    before, asked = summary_of(folder), len(engine.requests)

    code = command("run", "--resume", str(folder.path), "--no-report")

    assert (code, len(engine.requests)) == (2, asked)
    assert summary_of(folder) == before


def test_parts_of_a_set(engine: FakeServer, basics: list[str], tmp_path: Path) -> None:
    command("run", "--url", engine.url, "--category", "odd", *basics)

    folder = only_run(tmp_path)
    assert {row.category for row in folder.rows} == {"odd"}
    assert summary_of(folder).planned == 10


def test_options_win_over_the_plan_file(
    engine: FakeServer, basics: list[str], tmp_path: Path
) -> None:
    said(
        ["seed = 5", "[load]", "count = 7", "[load.arrivals]", 'type = "constant"', "rate = 99.0"],
        tmp_path / "plan.toml",
    )

    command("run", "--url", engine.url, "--seed", "6", *basics)

    plan = only_run(tmp_path).plan
    assert (plan.seed, plan.load.count, getattr(plan.load.arrivals, "rate", None)) == (6, 7, 99.0)


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
        (["--rate", "fast"], "numbers of requests a second"),
        (["--rate", "0"], "rate"),
        (["--rate", "nan"], "rate"),
        (["--arrivals", "steps", "--rate", "5,-6"], "rates"),
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


def test_what_is_resumed_has_to_be_a_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a run"):
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
