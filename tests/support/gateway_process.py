"""The gateway as a process of its own: served on a port, or asked event by event."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.local_aws import API

_START_S: Final = 60
_LAMBDA: Final = """
import json, sys
from app import app
class Context:
    aws_request_id = "test"
    def get_remaining_time_in_millis(self):
        return 20_000
for line in json.load(sys.stdin):
    print("ANSWER " + json.dumps(app(line, Context())), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProcess:
    url: str
    log_file: Path

    def log(self) -> str:
        """All it has written so far, on both streams."""
        return self.log_file.read_text("utf-8", errors="replace")


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the environment of whoever runs the tests, except how to find programs."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", **env}


@contextmanager
def serving(env: Mapping[str, str], folder: Path) -> Iterator[GatewayProcess]:
    """`api/local_server.py` on a free port; its output goes to a file in `folder`."""
    log_file = folder / "gateway.log"
    told, tell = os.pipe()
    command = [sys.executable, "-u", str(API / "local_server.py"), "--url-file", f"/dev/fd/{tell}"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=API,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[tell],
        )
    os.close(tell)
    try:
        url = os.read(told, 1024).decode()  # empty if it died
        assert url, log_file.read_text("utf-8")
        yield GatewayProcess(url=url, log_file=log_file)
    finally:
        os.close(told)
        process.terminate()
        process.wait(_START_S)


def invoke(env: Mapping[str, str], *events: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """What the Lambda returns for each event in turn, and all that it logged."""
    done = subprocess.run(
        [sys.executable, "-c", _LAMBDA],
        cwd=API,
        env=environment(env),
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=True,
        timeout=_START_S,
    )
    answers = [
        json.loads(line.removeprefix("ANSWER "))
        for line in done.stdout.splitlines()
        if line.startswith("ANSWER ")
    ]
    return answers, done.stdout + done.stderr
