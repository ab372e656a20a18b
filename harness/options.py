"""Options that several commands have, with one name, meaning and line of help each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]

ABOVE_0: Final = click.FloatRange(min=0, min_open=True)
SHARE: Final = click.FloatRange(0, 1)
FROM_0: Final = click.IntRange(min=0)
FROM_1: Final = click.IntRange(min=1)
SEED: Final = click.IntRange(0, 2**53)
FILE: Final = click.Path(path_type=Path, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
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
    "--output", type=FOLDER, metavar="DIR", help="Runs go there.  [default: build/runs]"
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
