"""Options that several commands have, with one name, meaning and line of help each."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click


class _Output(click.Path):
    """A path on this machine: of an address in S3 a folder named `s3:` would be made."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        if str(value).startswith("s3://"):
            self.fail(
                f"{value}: it is a path on this machine; 'jobs fetch' brings runs from S3, "
                "'promptset push' takes promptsets there",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """click's own lets `nan` through, and `inf` where nothing bounds it: no limit would hold."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  # as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]

ABOVE_0: Final = FiniteRange(min=0, min_open=True)
SHARE: Final = FiniteRange(0, 1)
FROM_0: Final = click.IntRange(min=0)
FROM_1: Final = click.IntRange(min=1)
SEED: Final = click.IntRange(0, 2**53)
FILE: Final = click.Path(path_type=Path, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
OUTPUT_FILE: Final = _Output(path_type=Path, dir_okay=False)
OUTPUT_FOLDER: Final = _Output(path_type=Path, file_okay=False)
KNOWN_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
KNOWN_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)

GATEWAY: Final = click.option(
    "--gateway",
    metavar="URL",
    help="A deployed stage, its key in LLMO_API_KEY.  [default: the local stack]",
)
CATEGORY: Final = click.option(
    "--category", multiple=True, metavar="NAME", help="Only rows of this category; repeatable."
)
PLAN_FILE: Final = click.option(
    "--plan", type=FILE, metavar="TOML", help="Sections of a plan in a file; options win."
)
RUNS: Final = click.option(
    "--output", type=OUTPUT_FOLDER, metavar="DIR", help="Runs go there.  [default: build/runs]"
)


def promptset(**more: Any) -> Decorator[Any]:  # noqa: ANN401  # as click has it
    return click.option(
        "--promptset", metavar="SET", help="A shipped set, ./folder, or s3://…/v<N>/.", **more
    )


def options(*groups: tuple[Decorator[Any], ...]) -> Decorator[Any]:
    """All of them, shown in this order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401  # as click has it
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate
