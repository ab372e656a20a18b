"""`python -m harness.reference`: every command's help as one page, for `docs/cli.md`."""

import sys
from collections.abc import Iterator

import click

from harness.__main__ import cli

_WIDTH = 96
_HEAD = """# The harness' commands

What `--help` says, for every command. Made by `make docs`; a test compares.
"""


def reference() -> str:
    return "\n".join([_HEAD, *_sections(cli, "python -m harness", None)])


def _sections(command: click.Command, path: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=path if parent is None else command.name, parent=parent
    )
    context.terminal_width = context.max_content_width = _WIDTH
    context.help_option_names = ["-h", "--help"]
    yield f"## `{path}`\n\n```\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _sections(child, f"{path} {name}", context)


if __name__ == "__main__":
    sys.stdout.write(reference())
