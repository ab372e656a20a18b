"""`python -m harness`: one command surface, a group for each thing it can do."""

import importlib
import signal
import sys
from typing import Final

import click

from harness.errors import HarnessError, WrongInput

UNAVAILABLE = HarnessError.exit_code
USAGE = WrongInput.exit_code
INTERRUPTED = 130

COMMANDS: Final = {
    "run": "harness.runs.commands:run",
    "benchmark": "harness.runs.commands:benchmark",
    "report": "harness.report.commands:report",
    "compare": "harness.compare.commands:compare",
    "ab": "harness.compare.commands:ab",
    "gate": "harness.compare.commands:gate",
    "recovery": "harness.recovery.commands:recovery",
    "judge": "harness.judge.commands:judge",
    "suite": "harness.suites.commands:suite",
    "promptset": "harness.promptsets.commands:promptset",
    "jobs": "harness.jobs.commands:jobs",
    "local": "harness.local.commands:local",
}
"""Each is imported when it is called: what plots is slow to import, and most commands don't."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101  # a line of the table above is wrong
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Load, check, judge and compare models, and say whether one may take traffic.

    \b
    Exit codes
      0    PASS, or done
      1    FAIL
      2    INCONCLUSIVE: the evidence doesn't decide
      3    INVALID: the client, a cache or lost records falsify it
      64   wrong arguments, promptset, plan or policy
      69   it could not be done: no gateway, no key, disk full, bucket missing
      130  interrupted; `run --resume` goes on
    """  # noqa: D301  # click's mark for lines that stay as they are


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupted)
    try:
        return int(cli.main(prog_name="python -m harness", standalone_mode=False) or 0)
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return UNAVAILABLE
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help itself
        return USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        seen = f" ({context.command_path} --help)" if context else ""
        print(f"error: {error.format_message()}{seen}", file=sys.stderr)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _interrupted(*_: object) -> None:
    """What ends this process ends what it started, too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
