import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness import terminal
from harness.__main__ import main
from harness.demo import tables
from harness.demo.asking import Exchange
from harness.demo.questions import PREDICTIONS
from harness.local.identity import ProcessIdentity
from harness.local.state import AwsAccess, StackState, publish


def test_a_gateway_that_went_away_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    aws = AwsAccess(endpoint_url=url, region="r", access_key_id="i", secret_access_key="s")
    state = StackState(
        gateway_url=url,
        admin_key="admin",
        keys={"quant": "key"},
        engines={},
        engine_api_key="engine",
        aws=aws,
        sagemaker_runtime_url=url,
        supervisor=ProcessIdentity.own(),
        logs="logs",
    )
    publish(state, tmp_path / "local.json")

    done = subprocess.run(
        [sys.executable, "-m", "harness", "local", "--build", str(tmp_path), "demo"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 69
    assert done.stdout == f"using the stack that runs on {url}\n"
    assert done.stderr.startswith("error: the gateway did not answer: ConnectError(")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--concurrency", "0"), "Invalid value for '--concurrency': 0 is not in"),
        (("run", "--concurrency", "-1"), "Invalid value for '--concurrency': -1 is not in"),
        (("run", "--rate", "0"), "Invalid value for '--rate': 0.0 is not in the range x>0."),
        *(
            (
                (*command, option, "nan"),
                f"Invalid value for '{option}': nan is not a finite number",
            )
            for *command, option in (
                ("compare", "a", "b", "--margin"),
                ("compare", "a", "b", "--max-slowdown"),
                ("compare", "a", "b", "--min-length-ratio"),
                ("ab", "a", "--margin"),
                ("judge", "pairwise", ".", ".", "--margin"),
                ("jobs", "size", "--seconds"),
                ("run", "--rate"),
                ("run", "--temperature"),
                ("run", "--min-pass-rate"),
            )
        ),
        (("compare", "a", "b", "--max-slowdown", "inf"), "Invalid value for '--max-slowdown': inf"),
        (("suite", "unheard-of"), "Invalid value for 'SUITE'"),
        *(
            (
                (*command, "--output", "s3://b/runs"),
                "Invalid value for '--output': s3://b/runs: it is a path on this machine; ",
            )
            for command in (
                ("run",),
                ("benchmark",),
                ("compare", "a", "b"),
                ("ab", "a"),
                ("gate", "a"),
                ("recovery",),
                ("suite", "golden"),
                ("judge", "calibrate"),
                ("judge", "pairwise", ".", "."),
                ("jobs", "run", "a"),
                ("jobs", "fetch", "s3://b/runs/a"),
                ("promptset", "generate"),
            )
        ),
        (("report",), "Missing argument 'RUN'. (python -m harness report --help)"),
        (("unheard-of",), "No such command 'unheard-of'. (python -m harness --help)"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: tuple[str, ...],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    assert main() == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {told}")


def test_a_group_alone_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["harness", "judge"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    assert main() == 64
    assert "calibrate" in capsys.readouterr().err


def test_what_a_model_says_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    said = "[/INST] [red]4[/red] :four:"
    exchange = Exchange(
        question=PREDICTIONS[0],
        correlation_id="demo-1",
        status=200,
        headers={},
        document={"output": said},
    )

    terminal.console().print(tables.answers([exchange]))

    printed = capsys.readouterr().out
    assert all(word in printed for word in said.split())
