"""Promptsets, plans and commands for tests of the harness' runs."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from harness.__main__ import cli
from harness.checks import ContainsAny
from harness.plan import Plan, plan_of
from harness.promptsets.manifest import Generator, Manifest, TokenStatistics, describe, encode
from harness.promptsets.rows import Row, encoded
from harness.records import Record

ROOT: Final = Path(__file__).parents[2]
MS: Final = 1_000_000
KEY: Final = "a-key-of-tests"
# A machine that runs tests beside others is no place to measure: only what is asked for counts.
FORGIVING: Final = {
    "dispatch_lag_p99_ms": 60_000.0,
    "loop_lag_p99_ms": 60_000.0,
    "cpu_share": 1.0,
}
FORGIVING_TOML: Final = "[validity]\n" + "".join(
    f"{name} = {value}\n" for name, value in FORGIVING.items()
)
_SCRIPT: Final = """
import resource, signal, sys
from harness.__main__ import main
# A shell's background, or nohup, has some of them ignored, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if limit := int(sys.argv.pop(1)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main())
"""


def rows(count: int = 20, **changed: object) -> tuple[Row, ...]:
    """Questions whose right answer is "yes 4"."""
    made = (
        Row(
            prompt_id=f"p{number}",
            prompt=f"question {number}?",
            max_tokens=8,
            category=("even", "odd")[number % 2],
            split="eval_holdout",
            checks=(ContainsAny(values=("yes 4",)),),
        )
        for number in range(count)
    )
    return tuple(replace(row, **changed) for row in made)


def record(index: int, **changed: object) -> Record:
    """Answered whole within 20 ms."""
    start = index * MS
    made = Record(
        index=index,
        arm="a",
        prompt_id=f"p{index % 3}",
        planned_ns=start,
        sent_ns=start + 1_000,
        end_ns=start + 20 * MS,
        status=200,
    )
    return replace(made, **changed)


def manifest(of: tuple[Row, ...], tokens: TokenStatistics | None = None) -> Manifest:
    return describe(
        of,
        name="mine",
        version=1,
        description="of tests",
        seed=1,
        generator=Generator(name="tests"),
        tokens=tokens,
        context=1024,
    )


def promptset(folder: Path, of: tuple[Row, ...] | None = None) -> Path:
    """A set in a folder of its own."""
    of = rows() if of is None else of
    folder.mkdir()
    (folder / "prompts.jsonl").write_bytes(encoded(of))
    (folder / "manifest.json").write_bytes(encode(manifest(of)))
    return folder


def plan(url: str = "http://127.0.0.1:9", /, **changed: object) -> Plan:
    found = manifest(rows())
    return plan_of(
        {
            "run_id": "r",
            "kind": "run",
            "created": "2026-01-01T00:00:00Z",
            "harness_version": "0",
            "promptset": {"name": "mine", "version": 1, "sha256": found.sha256},
            "arms": [{"name": "a", "url": url, "model": "m", "stream": True}],
            "load": {"arrivals": {"type": "closed", "concurrency": 4}, "count": 20},
            "expect": {"min_pass_rate": 0.5, "max_error_rate": 0.5},
            "validity": FORGIVING,
            **changed,
        }
    )


def command(*arguments: str) -> int:
    """In this process: the exit code. Raises what the command raises."""
    return int(cli.main(list(arguments), standalone_mode=False))


def process(
    *arguments: str, file_limit: int = 0, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """In a process of its own, which can be killed; no file of it grows beyond `file_limit`."""
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(file_limit), *arguments],
        cwd=ROOT,
        env={**os.environ, "LLMO_API_KEY": KEY, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(options: Sequence[str], path: Path) -> Path:
    """A plan file that forgives a slow machine, and holds these further lines."""
    path.write_text("\n".join([*options, FORGIVING_TOML]), "utf-8")
    return path
