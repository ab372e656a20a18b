"""`python -m harness compare …`, `ab …` and `gate …`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from harness import terminal
from harness.errors import WrongInput

if TYPE_CHECKING:
    import msgspec

    from harness.report.page import Page
    from harness.verdict import Verdict

# What computes, draws or asks is imported where it is called: a command's help needs none of it.
# ruff: noqa: PLC0415

_ASKING: Final = {"load": {"arrivals": {"type": "closed", "concurrency": 2}}}
_RUN: Final = click.Path(path_type=Path, file_okay=False)
_FROM_1: Final = click.IntRange(min=1)
_SHARE: Final = click.FloatRange(0, 1, max_open=True)
_ABOVE_0: Final = click.FloatRange(min=0, min_open=True)
_OUT: Final = click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="JSON and page go there.  [default: into the last RUN]",
)
_MARGIN: Final = click.option(
    "--margin",
    type=_SHARE,
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="So much lower may the candidate's pass rate be.",
)


@click.command()
@click.argument("runs", metavar="[RUN [RUN]]", type=_RUN, nargs=-1)
@click.option("--reference", metavar="NAME", help="Ask now: a team, team/variant or engine:NAME;")
@click.option("--candidate", metavar="NAME", help="and this one, on the same items in one run.")
@click.option("--promptset", metavar="SET", help="What to ask them.")
@click.option(
    "--gateway",
    metavar="URL",
    help="A deployed stage, its key in LLMO_API_KEY.  [default: the local stack]",
)
@click.option(
    "--repeat", type=_FROM_1, default=1, metavar="N", help="Each row so often.  [default: 1]"
)
@click.option("--concurrency", type=_FROM_1, metavar="N", help="So many at once.  [default: 2]")
@click.option(
    "--warmup",
    type=click.IntRange(min=0),
    metavar="N",
    help="Requests of each before those that count.  [default: 0]",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="TOML",
    help="Sections of a plan in a file; options win.",
)
@_MARGIN
@click.option(
    "--min-length-ratio",
    type=_ABOVE_0,
    default=0.9,
    show_default=True,
    metavar="RATIO",
    help="The least of its tokens an answer, over the reference's.",
)
@click.option(
    "--max-slowdown",
    type=_ABOVE_0,
    metavar="RATIO",
    help="The most of its median latency, over the reference's.  [default: not judged]",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False),
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
    from harness.compare.comparing import Asked
    from harness.compare.comparing import compare as compared
    from harness.compare.page import page
    from harness.compare.sides import sides
    from harness.compare.speed import prices_of

    prices = prices_of(values["prices"]) if values["prices"] else {}
    now = bool(values["reference"] or values["candidate"])
    if now and runs:
        raise WrongInput("name runs, or --reference and --candidate to ask them now; not both")
    where = _asked_now(values) if now else _named(runs)
    found = compared(
        *sides(*where),
        Asked(
            margin=values["margin"],
            min_length_ratio=values["min_length_ratio"],
            max_slowdown=values["max_slowdown"],
            prices=prices,
        ),
    )
    console = terminal.console()
    console.print(tables.comparison(found))
    if not found.speed.shifts:
        console.print(found.speed.reason, soft_wrap=True)
    if flips := tables.flips(found):
        console.print(flips)
    console.print(terminal.findings(found.findings))
    folder = where[-1] if now else values["output"] or where[-1]
    _finish(context, console, found.verdict, folder, (results.FILE, found, page(found)))


@click.command()
@click.argument("run", metavar="RUN", type=_RUN)
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

    found = reports.ab(Run.read(run), variants or (), _weights(split), margin)
    console = terminal.console()
    console.print(tables.ab(found))
    console.print(f"better: {found.winner or 'not decided'}")
    console.print(terminal.findings(found.findings))
    _finish(context, console, found.verdict, output or run, (reports.FILE, found, ab_page(found)))


@click.command()
@click.argument("run", metavar="RUN", type=_RUN)
@click.option(
    "--policy",
    metavar="NAME|TOML",
    default="default",
    show_default=True,
    help="`default`, `strict` or a file.  [default: default]",
)
@click.option("--baseline", type=_RUN, metavar="RUN", help="[default: RUN's first arm of two]")
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


def _asked_now(values: dict[str, Any]) -> tuple[Path]:
    """The folder of a run that asked both."""
    from harness.compare.live import prepared_pair
    from harness.local.layout import Layout
    from harness.local.state import running
    from harness.report import write as write_page
    from harness.runs.execute import execute
    from harness.runs.folder import RunFolder
    from harness.runs.planning import layered, read_plan_file
    from harness.runs.progress import Progress

    if not (values["reference"] and values["candidate"] and values["promptset"]):
        raise WrongInput("asking now takes all of --reference, --candidate and --promptset")
    layout = Layout.of_repository()
    untimed = {} if values["max_slowdown"] else {"validity": {"loop_lag_p99_ms": None}}
    document = layered(
        _ASKING, untimed, read_plan_file(values["plan"]) if values["plan"] else {}, _said(values)
    )
    plan, rows, keys = prepared_pair(
        values["reference"], values["candidate"], document, values["repeat"], running(layout.state)
    )
    output = values["output"] or layout.build / "runs"
    folder = RunFolder.create(output / plan.run_id, plan, rows)
    execute(folder, keys, Progress(terminal.console()))
    write_page(folder.path)
    return (folder.path,)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"promptset": {"name": values["promptset"]}}
    if values["gateway"]:
        said["arm"] = {"url": values["gateway"]}
    load: dict[str, Any] = {}
    if values["concurrency"]:
        load["arrivals"] = {"type": "closed", "concurrency": values["concurrency"]}
    if values["warmup"] is not None:
        load["warmup"] = values["warmup"]
    return said | ({"load": load} if load else {})


def _weights(split: Sequence[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for one in split:
        name, _, weight = one.partition("=")
        try:
            weights[name] = float(weight)
        except ValueError:
            raise WrongInput(f"--split {one}: it is like lora-v1=80") from None
        if not 0 <= weights[name] < float("inf"):
            raise WrongInput(f"--split {one}: a weight is 0 or more")
    if weights and not sum(weights.values()):
        raise WrongInput("--split: one weight at least is above 0")
    return weights


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
