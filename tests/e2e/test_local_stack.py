"""The local stack's own behaviour, with fake engines behind it: starting, watching, stopping."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.local.layout import Layout
from harness.local.lock import BUSY, holder
from harness.local.state import StackState, running

ENGINE_KEY: Final = "an-engine-key-for-tests"
ENGINES: Final = ("mistral-7b-awq", "mistral-7b-fp16", "mistral-7b-lora", "mistral-7b-judge")
PARTS: Final = {"aws_stand_in", "sagemaker_models.runtime", "local_server.py"}
# What would lead a stack astray that listened to its caller's environment.
MISLEADING: Final = {
    "AWS_PROFILE": "no-such-profile",
    "AWS_SESSION_TOKEN": "another-account",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "GATEWAY_CONFIG": "/no/such/gateway.toml",
    "PYTHONPATH": "/no/such/folder",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """`python -m harness local`, in a build folder of its own."""

    layout: Layout
    engines: Path

    def command(self, *arguments: str) -> list[str]:
        build = str(self.layout.build)
        return [sys.executable, "-m", "harness", "local", "--build", build, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **MISLEADING, "VLLM_API_KEY": ENGINE_KEY}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.layout.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(self) -> StackState:
        done = self.run("up", "--detach", "--engines", str(self.engines))
        assert done.returncode == 0, done.stdout + done.stderr
        state = running(self.layout.state)
        assert state is not None
        assert state.gateway_url in done.stdout
        return state

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        process = subprocess.Popen(
            self.command(*arguments, "--engines", str(self.engines)),
            cwd=self.layout.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_as_in_a_terminal,  # noqa: PLW1509
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `gpu_fleet up` would write, of one fake that serves every name."""
    file = tmp_path_factory.mktemp("engines") / "engines.json"
    with FakeServer(Behaviour(api_key=ENGINE_KEY)) as fake:
        engine = {"url": fake.url, "pid": os.getpid(), "log": "", "models": []}
        file.write_text(json.dumps({"engines": dict.fromkeys(ENGINES, engine)}))
        yield file


@pytest.fixture
def local(tmp_path: Path, engines: Path) -> Iterator[CommandLine]:
    line = CommandLine(layout=Layout.of_repository(tmp_path / "build"), engines=engines)
    yield line
    line.run("down")


def _parts(state: StackState) -> list[psutil.Process]:
    return psutil.Process(state.supervisor.pid).children(recursive=True)


def _gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=20)
    return not alive


def _read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """What it prints, up to the line with `word`."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def test_up_answers_and_down_leaves_nothing(local: CommandLine) -> None:
    """The way of a day: up, a request, up again, status, down, down again."""
    state = local.up()
    parts = _parts(state)
    assert {part for part in PARTS if any(part in " ".join(p.cmdline()) for p in parts)} == PARTS

    response = httpx.post(
        f"{state.gateway_url}/api/quant/predict",
        json={"prompt": "What is 2+2?"},
        headers={"Authorization": f"Bearer {state.keys['quant']}"},
        trust_env=False,
    )
    assert response.status_code == 200
    assert response.headers["x-route-target"] == "sagemaker:quant-endpoint"

    again = local.run("up")
    assert (again.returncode, again.stdout) == (
        0,
        f"already up: the gateway is on {state.gateway_url}\n",
    )
    status = local.run("status")
    assert status.returncode == 0
    assert "status: ready" in status.stdout

    down = local.run("down")
    assert (down.returncode, down.stdout) == (0, f"stopped (supervisor {state.supervisor.pid})\n")
    assert _gone(parts)
    assert not local.layout.state.exists()
    assert local.run("down").stdout == "nothing was running\n"
    status = local.run("status")
    assert (status.returncode, status.stdout) == (69, "")
    assert status.stderr == "error: nothing is running: start it with 'make up'\n"


def test_a_key_works_for_its_own_team_only(local: CommandLine) -> None:
    state = local.up()

    response = httpx.post(
        f"{state.gateway_url}/api/quant/predict",
        json={"prompt": "What is 2+2?"},
        headers={"Authorization": f"Bearer {state.keys['finetune']}"},
        trust_env=False,
    )

    assert response.status_code == 403


def test_no_part_outlives_a_supervisor_that_is_killed(local: CommandLine) -> None:
    state = local.up()
    parts = _parts(state)

    os.kill(state.supervisor.pid, signal.SIGKILL)

    assert _gone(parts)
    assert running(local.layout.state) is None
    assert local.run("down").stdout == "nothing was running\n"


def test_the_death_of_one_part_is_told_and_ends_the_others(local: CommandLine) -> None:
    with local.started("up") as process:
        _read_until(process, "ready")
        state = running(local.layout.state)
        assert state is not None
        parts = _parts(state)
        gateway = next(part for part in parts if "local_server.py" in " ".join(part.cmdline()))

        gateway.kill()
        told, _ = process.communicate(timeout=60)

    assert process.returncode == 69
    assert "error: gateway was ended by SIGKILL; its log is" in told
    assert "gateway on http://" in told  # the last lines of its log
    assert _gone(parts)
    assert not local.layout.state.exists()


@pytest.mark.parametrize("word", ["AWS stand-in", "ready"])
def test_a_stop_is_obeyed_while_starting_and_when_ready(local: CommandLine, word: str) -> None:
    with local.started("up") as process:
        _read_until(process, word)
        parts = psutil.Process(process.pid).children(recursive=True)

        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert told.endswith("stopped\n")
    assert _gone(parts)
    assert not local.layout.state.exists()


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_two_at_once_don_t_start_two_stacks(local: CommandLine, options: tuple[str, ...]) -> None:
    with local.started("up") as process:
        _read_until(process, "AWS stand-in")

        second = local.run("up", *options, "--engines", str(local.engines))

        assert second.returncode == 69
        assert second.stderr == f"error: {BUSY}\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_engines_that_are_not_there_are_named(local: CommandLine, tmp_path: Path) -> None:
    missing = tmp_path / "engines.json"

    done = local.run("up", "--detach", "--engines", str(missing))

    assert done.returncode == 69
    assert f"error: {missing} is missing" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not local.layout.state.exists()


def test_a_file_that_tells_of_no_engines_is_named(local: CommandLine, tmp_path: Path) -> None:
    wrong = tmp_path / "engines.json"
    wrong.write_text('{"engines": {"mistral-7b-awq": {}}}')

    done = local.run("up", "--engines", str(wrong))

    assert done.returncode == 69
    assert done.stderr == f"error: {wrong} is not what 'python -m gpu_fleet up' writes\n"


def test_a_build_folder_that_can_t_be_written_is_one_line(local: CommandLine) -> None:
    local.layout.build.mkdir()
    local.layout.logs.write_text("a file where the folder of logs should be")

    done = local.run("up", "--detach", "--engines", str(local.engines))

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def _as_in_a_terminal() -> None:
    """A shell's background, or nohup, has some signals ignored, and that is inherited."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_start_that_is_interrupted_leaves_nothing(
    local: CommandLine, number: signal.Signals
) -> None:
    with local.started("up", "--detach") as process:
        _read_until(process, "AWS stand-in")
        supervisor = holder(local.layout.lock)
        assert supervisor is not None

        process.send_signal(number)
        told, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert told.endswith("interrupted\n")
    assert not supervisor.alive
    assert not local.layout.state.exists()


def test_a_demo_of_wrong_answers_fails_and_stops_what_it_started(local: CommandLine) -> None:
    """The fake engine babbles: the demo says which answers are wrong."""
    state = local.up()

    demo = local.run("demo", "--requests", "5")

    assert demo.returncode == 1
    assert "error: /api/quant/predict (demo-1): no '4' in" in demo.stderr
    assert "X-Route-Version" in demo.stdout
    assert "\x1b" not in demo.stdout
    assert max(map(len, demo.stdout.splitlines())) <= 100
    assert running(local.layout.state) == state  # it was up before, so it stays up
