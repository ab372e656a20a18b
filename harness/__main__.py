"""`python -m harness`: one command surface, a group for each thing it can do.

Exit codes: 0 done; 1 it failed, and one line on standard error says what; 2 wrong arguments;
130 interrupted.
"""

import signal
import sys

import click
import httpx

from harness.errors import HarnessError
from harness.local.commands import local

FAILED = 1
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run, check and compare the platform from outside."""


cli.add_command(local)


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupted)
    try:
        cli.main(prog_name="python -m harness", standalone_mode=False)
    except (HarnessError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except httpx.HTTPError as error:
        print(f"error: the gateway did not answer: {error!r}", file=sys.stderr)
        return FAILED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _interrupted(*_: object) -> None:
    """What ends this process ends what it started, too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
