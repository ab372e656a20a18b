"""What load tools cost on the same mock: CPU of all their processes per streamed request.

Ours is measured as the others are: its command as a user types it, from its start to its report.
Two runs of different lengths: their difference leaves out what starting a tool costs. Ours is
measured right before each other and right after, because a machine's speed changes within minutes.
Prints JSON: milliseconds per request by tool and streams, or why there is no figure.
"""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.load_client import FAKE, TOKENS, serving

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = ROOT / ".venvs/peers/bin"
TOKENIZER: Final = ROOT / "build/models/reference"
STREAMS: Final = (100, 500)
SHORT, LONG = 2, 12
"""Requests a stream."""
VERDICTS: Final = range(4)
"""Of our exit codes those that end a whole run; the others end with 0 or 1."""
_TIMEOUT_S: Final = 240
_PR_SET_CHILD_SUBREAPER: Final = 36

Command = Callable[[str, int, int, Path], list[str]]


class PeerError(Exception):
    """Why there is no figure."""


@dataclass(frozen=True, kw_only=True)
class Used:
    requests: int
    cpu_s: float


def ours(url: str, streams: int, count: int, folder: Path) -> list[str]:
    plan = folder / "plan.toml"
    plan.write_text("[generation]\nextra = { ignore_eos = true }\n", "utf-8")
    return [
        *(sys.executable, "-m", "harness", "benchmark", "--plan", str(plan), "--url", url),
        *("--model", "mock", "--api", "chat", "--stream", "--promptset", "tiny"),
        *("--concurrency", str(streams), "--count", str(count), "--max-tokens", str(TOKENS)),
        *("--output", str(folder)),
    ]


def guidellm(url: str, streams: int, count: int, folder: Path) -> list[str]:
    data = f"kind=synthetic_text,prompt_tokens=16,output_tokens={TOKENS}"
    return [
        *(str(PROGRAMS / "guidellm"), "run", "--disable-console", "--data", data),
        *("--backend", f"kind=openai_http,target={url},model=mock"),
        *("--profile", f"kind=concurrent,streams={streams}"),
        *("--constraint", f"kind=max_requests,count={count}"),
        *("--tokenizer", f"kind=hf_auto,model={TOKENIZER}"),
        *("--output", f"kind=json,path={folder / 'out.json'}"),
    ]


def aiperf(url: str, streams: int, count: int, folder: Path) -> list[str]:
    return [
        *(str(PROGRAMS / "aiperf"), "profile", "--ui", "none", "--artifact-dir", str(folder)),
        *("--url", url, "--model", "mock", "--endpoint-type", "chat", "--streaming"),
        *("--concurrency", str(streams), "--request-count", str(count)),
        *("--tokenizer", str(TOKENIZER), "--isl", "16", "--osl", str(TOKENS)),
        *("--extra-inputs", "ignore_eos:true"),
    ]


PEERS: Final[dict[str, Command]] = {"guidellm": guidellm, "aiperf": aiperf}


def main() -> None:
    _adopt_orphans()
    figures = {
        f"{name}, {streams} at once": _figure(command, streams)
        for name, command in PEERS.items()
        for streams in STREAMS
    }
    print(json.dumps(figures))  # noqa: T201


def _figure(command: Command, streams: int) -> dict[str, float] | str:
    try:
        before = cpu_ms(ours, streams)
        theirs = cpu_ms(command, streams)
        after = cpu_ms(ours, streams)
    except (PeerError, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return {"theirs_ms": theirs, "ours_ms": (before + after) / 2}


def cpu_ms(command: Command, streams: int) -> float:
    short, long = (_used(command, streams, each * streams) for each in (SHORT, LONG))
    return (long.cpu_s - short.cpu_s) / (long.requests - short.requests) * 1000


def _used(command: Command, streams: int, count: int) -> Used:
    with (
        serving((*FAKE, "--model", "mock")) as url,
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "log").open("w+") as log,
    ):
        wanted = command(url, streams, count, Path(folder))
        before = _cpu_of_children()
        process = subprocess.Popen(
            wanted,
            env={**os.environ, "LLMO_API_KEY": "none"},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            failed = process.wait(timeout=_TIMEOUT_S)
        finally:
            _end_group(process.pid)
        used = Used(requests=_answered(url), cpu_s=_cpu_of_children() - before)
        if failed not in VERDICTS or used.requests < count:
            log.seek(0)
            told = log.read()[-300:]
            raise PeerError(
                f"{Path(wanted[0]).name} ended with {failed} after {used.requests} requests: {told}"
            )
    return used


def _answered(url: str) -> int:
    """By the mock's own count of what it generated."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/metrics") as answer:
        text = answer.read().decode()
    counts = re.findall(r"^vllm:generation_tokens_total(?:\{.*\})? (\S+)$", text, re.MULTILINE)
    return round(sum(map(float, counts)) / TOKENS)


def _cpu_of_children() -> float:
    """Of those that were waited for, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    """What a tool leaves behind becomes a child of ours, so that its CPU is counted, too."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitid(os.P_PGID, group, os.WEXITED)


if __name__ == "__main__":
    main()
