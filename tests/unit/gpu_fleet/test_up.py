"""`python -m gpu_fleet up` with real processes; only vLLM itself is a small server."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

FAKE_VLLM = Path(__file__).with_name("fake_vllm.py")
KEY = "a-key-for-tests"
Up = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def place(tmp_path: Path) -> SimpleNamespace:
    """A workplace: an environment whose python is the small server, and folders of models."""
    python = tmp_path / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{FAKE_VLLM}" "$@"\n')
    python.chmod(0o755)
    models = tmp_path / "models"
    for folder in ("reference", "awq", "judge", "lora-v1", "lora-v2"):
        (models / folder).mkdir(parents=True)
    return SimpleNamespace(
        environment=tmp_path / "environment",
        models=models,
        logs=tmp_path / "logs",
        cache=tmp_path / "cache",
        state=tmp_path / "engines.json",
    )


@pytest.fixture
def up(place: SimpleNamespace) -> Iterator[Up]:
    started: list[subprocess.Popen[str]] = []

    def start(*engines: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "gpu_fleet", "up"]
        for name, value in vars(place).items():
            command += [f"--{name}", str(value)]
        process = subprocess.Popen(
            command + (["--engine", *engines] if engines else []),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "VLLM_API_KEY": KEY},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: "subprocess.Popen[str]", word: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith(word):
            break
    return lines


def engines_in(state: Path) -> dict[str, Any]:
    engines: dict[str, Any] = json.loads(state.read_text())["engines"]
    return engines


def family_of(pid: int) -> list[psutil.Process]:
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    """Gone, or a zombie that only waits for its new parent to look."""
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs([one for one in processes if not is_gone(one)], timeout=20)
    return all(is_gone(one) for one in alive)


def test_publishes_every_engine_once_all_are_healthy(up: Up, place: SimpleNamespace) -> None:
    process = up()
    assert read_until(process, "ready")[-1] == "ready"
    engines = engines_in(place.state)
    assert {name: engine["models"] for name, engine in engines.items()} == {
        "mistral-7b-awq": ["mistral-7b-awq"],
        "mistral-7b-fp16": ["mistral-7b-fp16"],
        "mistral-7b-lora": ["mistral-7b-lora", "lora-v1", "lora-v2"],
        "mistral-7b-judge": ["mistral-7b-judge"],
    }
    for name, engine in engines.items():
        assert Path(engine["log"]) == place.logs / f"{name}.log"
        with urllib.request.urlopen(f"{engine['url']}/health") as answer:
            assert answer.status == 200
    assert stat.S_IMODE(place.state.stat().st_mode) == 0o600


def test_the_key_is_on_no_command_line(up: Up, place: SimpleNamespace) -> None:
    read_until(up("mistral-7b-awq"), "ready")
    pid = engines_in(place.state)["mistral-7b-awq"]["pid"]
    assert not any(KEY in " ".join(one.cmdline()) for one in family_of(pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_everything_and_withdraws_the_state(
    up: Up, place: SimpleNamespace, number: signal.Signals
) -> None:
    process = up("mistral-7b-awq", "mistral-7b-lora")
    read_until(process, "ready")
    family = [one for e in engines_in(place.state).values() for one in family_of(e["pid"])]
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert len(family) == 4
    assert all_gone(family)
    assert not place.state.exists()


def test_a_killed_supervisor_leaves_no_engine_behind(up: Up, place: SimpleNamespace) -> None:
    process = up("mistral-7b-awq", "mistral-7b-judge")
    read_until(process, "ready")
    family = [one for e in engines_in(place.state).values() for one in family_of(e["pid"])]
    process.kill()
    assert all_gone(family)


def test_a_killed_supervisor_leaves_no_engine_behind_that_hangs_while_starting(
    up: Up, place: SimpleNamespace
) -> None:
    (place.models / "awq" / "behaviour").write_text("hang")
    process = up("mistral-7b-awq")
    read_until(process, "starting")
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    assert family
    assert all_gone(family)


def test_a_stop_signal_ends_an_engine_that_hangs_while_starting(
    up: Up, place: SimpleNamespace
) -> None:
    (place.models / "awq" / "behaviour").write_text("hang")
    process = up("mistral-7b-awq")
    read_until(process, "starting")
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert all_gone(family)


def test_an_engine_that_dies_while_starting_stops_the_rest_and_is_explained(
    up: Up, place: SimpleNamespace
) -> None:
    (place.models / "judge" / "behaviour").write_text("die")
    process = up("mistral-7b-awq", "mistral-7b-judge")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == (
        "error: engine mistral-7b-judge died while starting, with exit code 1; its log is "
        f"{place.logs}/mistral-7b-judge.log\n  | ValueError: the weights are broken\n"
    )
    assert not place.state.exists()


def test_an_engine_that_dies_later_stops_the_rest(up: Up, place: SimpleNamespace) -> None:
    process = up("mistral-7b-awq", "mistral-7b-judge")
    read_until(process, "ready")
    engines = engines_in(place.state)
    family = [one for e in engines.values() for one in family_of(e["pid"])]
    os.kill(engines["mistral-7b-judge"]["pid"], signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("error: engine mistral-7b-judge died, by SIGKILL; its log is ")
    assert all_gone(family)
    assert not place.state.exists()


def test_an_engine_that_serves_less_than_it_should_is_not_ready(
    up: Up, place: SimpleNamespace
) -> None:
    (place.models / "reference" / "behaviour").write_text("forget")
    process = up("mistral-7b-lora")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "is healthy but does not serve lora-v1, lora-v2" in errors


def test_an_engine_that_gives_no_token_is_not_ready(up: Up, place: SimpleNamespace) -> None:
    (place.models / "awq" / "behaviour").write_text("mute")
    process = up("mistral-7b-awq")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "is healthy but answers /v1/completions with 500" in errors


def test_a_signal_while_it_stops_does_not_hide_why(up: Up, place: SimpleNamespace) -> None:
    (place.models / "awq" / "behaviour").write_text("stop its parent")
    process = up("mistral-7b-awq", "mistral-7b-judge")
    read_until(process, "ready")
    engines = engines_in(place.state)
    family = [one for e in engines.values() for one in family_of(e["pid"])]
    os.kill(engines["mistral-7b-judge"]["pid"], signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("error: engine mistral-7b-judge died, by SIGKILL")
    assert all_gone(family)


def test_a_second_fleet_with_the_same_state_is_refused(up: Up, place: SimpleNamespace) -> None:
    read_until(up("mistral-7b-awq"), "ready")
    before = place.state.read_text()
    second = up("mistral-7b-judge")
    _, errors = second.communicate(timeout=30)
    assert second.returncode == 2
    assert "engine mistral-7b-awq already runs at http://127.0.0.1:" in errors
    assert place.state.read_text() == before


def test_what_a_killed_fleet_left_in_the_state_is_replaced(up: Up, place: SimpleNamespace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    place.state.write_text(json.dumps({"engines": {"mistral-7b-awq": {"url": url}}}))
    read_until(up("mistral-7b-judge"), "ready")
    assert list(engines_in(place.state)) == ["mistral-7b-judge"]


def test_missing_models_are_named_with_the_command_that_makes_them(
    up: Up, place: SimpleNamespace
) -> None:
    (place.models / "lora-v2").rmdir()
    process = up("mistral-7b-lora")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors == (
        f"error: {place.models}/lora-v2 is missing, and engine mistral-7b-lora serves it: models "
        f"are made by python -m sagemaker_models build --out {place.models}\n"
    )


def test_a_missing_environment_is_named_with_the_command_that_makes_it(
    up: Up, place: SimpleNamespace
) -> None:
    (place.environment / "bin" / "python").unlink()
    process = up()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"requirements/install.sh {place.environment}" in errors
