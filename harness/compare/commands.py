"""`python -m harness compare …`, `ab …` and `gate …`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from harness import terminal
from harness.errors import WrongInput
from harness.options import (
    ABOVE_0,
    FILE,
    FOLDER,
    FROM_0,
    FROM_1,
    GATEWAY,
    OUTPUT_FOLDER,
    PLAN_FILE,
    FiniteRange,
)

if TYPE_CHECKING:
    import msgspec

    from harness.report.page import Page
    from harness.verdict import Verdict

# What computes, draws or asks is imported where it is called: a command's help needs none of it.
# ruff: noqa: PLC0415

_OUT: Final = click.option(
    "--output",
    type=OUTPUT_FOLDER,
    metavar="DIR",
    help="JSON and page go there.  [default: into the last RUN]",
)
_MARGIN: Final = click.option(
    "--margin",
    type=FiniteRange(0, 1, max_open=True),
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="So much lower may the candidate's pass rate be.",
)


@click.command()
@click.argument("runs", metavar="[RUN [RUN]]", type=FOLDER, nargs=-1)
@click.option("--reference", metavar="NAME", help="Ask now: a team, team/variant or engine:NAME;")
@click.option("--candidate", metavar="NAME", help="and this one, on the same items in one run.")
@click.option("--promptset", metavar="SET", help="What to ask them.")
@GATEWAY
@click.option(
    "--repeat", type=FROM_1, default=1, metavar="N", help="Each row so often.  [default: 1]"
)
@click.option("--concurrency", type=FROM_1, metavar="N", help="So many at once.  [default: 2]")
@click.option(
    "--warmup",
    type=FROM_0,
    metavar="N",
    help="Requests of each before those that count.  [default: 0]",
)
@PLAN_FILE
@_MARGIN
@click.option(
    "--min-length-ratio",
    type=ABOVE_0,
    default=0.9,
    show_default=True,
    metavar="RATIO",
    help="The least of its tokens an answer, over the reference's.",
)
@click.option(
    "--max-slowdown",
    type=ABOVE_0,
    metavar="RATIO",
    help="The most of its median latency, over the reference's.  [default: not judged]",
)
@click.option(
    "--prices",
    type=FILE,
    metavar="TOML",
    help="[usd_per_hour] by arm or model.",
)
@_OUT
@click.pass_context
def compare(context: click.Context, /, runs: tuple[Path, ...], **values: Any) -> None:  # noqa: ANN401
    """Is the candidate as good, item by item?

    \b
    compare RUN         a run of two arms, reference first
    compare RUN RUN     reference and candidate, asked the same promptset
    compare --reference NAME --candidate NAME --promptset SET
                        asks both now, interleaved, so that latency is compared, too

    PASS 0: not inferior by the margin. FAIL 1: inferior beyond it. INCONCLUSIVE 2: too few items to
    tell. INVALID 3: a run is, the reference was not well, or requests have no counterpart.
    """  # noqa: D301  # click's mark of lines to leave as they are
    from harness.compare import results, tables
    from harness.compare.asking import asked_now
    from harness.compare.comparing import Asked
    from harness.compare.comparing import compare as compared
    from harness.compare.page import page
    from harness.compare.sides import sides
    from harness.compare.speed import prices_of
    from harness.runs.progress import Progress

    console = terminal.console()
    prices = prices_of(values["prices"]) if values["prices"] else {}
    now = bool(values["reference"] or values["candidate"])
    if now and runs:
        raise WrongInput("name runs, or --reference and --candidate to ask them now; not both")
    where = (asked_now(values, Progress(console)),) if now else _named(runs)
    found = compared(
        *sides(*where),
        Asked(
            margin=values["margin"],
            min_length_ratio=values["min_length_ratio"],
            max_slowdown=values["max_slowdown"],
            prices=prices,
        ),
    )
    console.print(tables.comparison(found))
    if not found.speed.shifts:
        console.print(found.speed.reason, soft_wrap=True)
    if flips := tables.flips(found):
        console.print(flips)
    console.print(terminal.findings(found.findings))
    folder = where[-1] if now else values["output"] or where[-1]
    _finish(context, console, found.verdict, folder, (results.FILE, found, page(found)))


@click.command()
@click.argument("run", metavar="RUN", type=FOLDER)
@click.option(
    "--variants",
    nargs=2,
    metavar="REFERENCE CANDIDATE",
    help="[default: the run's arms, the split's, or the two that were asked most]",
)
@click.option(
    "--split",
    multiple=True,
    metavar="NAME=WEIGHT",
    help="The declared split, e.g. --split lora-v1=80 --split lora-v2=20.",
)
@_MARGIN
@_OUT
@click.pass_context
def ab(
    context: click.Context,
    run: Path,
    variants: tuple[str, str] | None,
    split: tuple[str, ...],
    margin: float,
    output: Path | None,
) -> None:
    """Which of two variants is better?

    Of a run of one team, split by the gateway, or of two arms that pin a variant each. May be asked
    again and again while the run goes on.

    PASS 0: the candidate is better, or not worse by the margin. FAIL 1: it is worse. INCONCLUSIVE
    2: not decided yet. INVALID 3: the run is, or requests were not split as declared.
    """
    from harness.compare import tables
    from harness.compare import variants as reports
    from harness.compare.pages import ab_page
    from harness.compare.sides import Run
    from harness.compare.splits import declared

    found = reports.ab(Run.read(run), variants or (), declared(split), margin)
    console = terminal.console()
    console.print(tables.ab(found))
    console.print(f"better: {found.winner or 'not decided'}")
    console.print(terminal.findings(found.findings))
    _finish(context, console, found.verdict, output or run, (reports.FILE, found, ab_page(found)))


@click.command()
@click.argument("run", metavar="RUN", type=FOLDER)
@click.option(
    "--policy",
    metavar="NAME|TOML",
    default="default",
    show_default=True,
    help="`default`, `strict` or a file.",
)
@click.option("--baseline", type=FOLDER, metavar="RUN", help="[default: RUN's first arm of two]")
@_OUT
@click.pass_context
def gate(
    context: click.Context, run: Path, policy: str, baseline: Path | None, output: Path | None
) -> None:
    """May the model of a run take traffic?

    Every limit that the policy sets is answered.

    PASS 0; FAIL 1; INCONCLUSIVE 2: a limit can't be answered, and why; INVALID 3.
    """
    from harness.compare import gate as gates
    from harness.compare.pages import gate_page
    from harness.compare.policy import policy_of

    asked = policy_of(policy)
    found = gates.gate(asked, policy, *gates.sides_of(run, baseline))
    console = terminal.console()
    console.print(terminal.findings(found.findings))
    _finish(context, console, found.verdict, output or run, (gates.FILE, found, gate_page(found)))


def _named(runs: Sequence[Path]) -> tuple[Path, ...]:
    if not 1 <= len(runs) <= 2:  # noqa: PLR2004
        raise WrongInput(
            "name one run of two arms, or two runs; or ask now: --reference, --candidate and "
            "--promptset"
        )
    return tuple(runs)


def _finish(
    context: click.Context,
    console: Console,
    verdict: "Verdict",
    folder: Path,
    written: "tuple[str, msgspec.Struct, Page]",
) -> None:
    from harness.compare.writing import write

    name, document, page = written
    terminal.closing(console, verdict, report=write(folder, name, document, page))
    context.exit(verdict.exit_code)
