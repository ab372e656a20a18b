"""Make and check the model family: `python -m sagemaker_models --help`.

Exit codes: 0 done, 1 a model could not be made or is not what its lineage says,
2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_models.errors import ModelsError
from sagemaker_models.family import build
from sagemaker_models.lineage import check_base
from sagemaker_models.recipes import load_family

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="python -m sagemaker_models",
        description="Make the model family: a reference, a 4-bit copy, two adapters, a judge.",
        epilog="exit codes: 0 done, 1 could not be made or does not check, 2 wrong usage",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = commands.add_parser(
        "build", help="make what is missing or out of date (cached by recipe, corpus, code, tools)"
    )
    make.add_argument(
        "--only", nargs="+", default=[], metavar="MODEL", help="these, and their bases"
    )
    make.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="models at a time (default 2)"
    )
    make.add_argument("--force", action="store_true", help="make again what is up to date, too")
    verify = commands.add_parser(
        "verify", help="check every model against its lineage, and its base"
    )
    for command in (make, verify):
        command.add_argument(
            "--out", type=Path, default=Path("build/models"), help="default: build/models"
        )
        command.add_argument(
            "--family", default="tiny", help="table of recipes.toml (default tiny)"
        )
    return root


def _build(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    planned = build(
        arguments.family,
        arguments.out,
        only=arguments.only,
        jobs=max(1, arguments.jobs),
        force=arguments.force,
    )
    current = [name for name in planned.keys if name not in planned.stale]
    if current:
        print(f"up to date in {arguments.out}: {', '.join(current)}")
    if planned.stale:
        took = time.monotonic() - started
        print(f"made in {arguments.out}: {', '.join(planned.stale)} ({took:.0f} s)")


def _verify(arguments: argparse.Namespace) -> None:
    for name, recipe in load_family(arguments.family).items():
        check_base(arguments.out / name, arguments.out / (recipe.base or name))
        print(f"{name}: as its lineage says")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        {"build": _build, "verify": _verify}[arguments.command](arguments)
    except ModelsError as error:
        print(f"sagemaker_models: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sagemaker_models: interrupted; nothing half-made was left", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
