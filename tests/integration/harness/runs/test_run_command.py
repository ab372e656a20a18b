"""`run` and `benchmark` against an engine, from the command line to the verdict."""

import json
from pathlib import Path

import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.runs.folder import RunFolder
from harness.summary import Summary
from harness.verdict import Verdict
from tests.support.harness_runs import KEY, command, rows, said


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


@pytest.mark.parametrize("extra", [[], ["--ignore-eos"]])
def test_answers_go_on_past_their_end_where_that_is_asked(
    engine: FakeServer, basics: list[str], extra: list[str]
) -> None:
    command("run", "--url", engine.url, *extra, *basics)

    sent = [json.loads(request.body) for request in engine.requests if request.body]
    assert len(sent) >= 20
    assert {body.get("ignore_eos") for body in sent} == ({True} if extra else {None})


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
