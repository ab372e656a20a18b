"""`python -m harness judge …`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from harness import terminal
from harness.errors import WrongInput
from harness.judge import journal, probes, tables, validity
from harness.judge.answers import pairs_of
from harness.judge.calibration import calibration
from harness.judge.comparing import Compared, compare_runs
from harness.judge.judging import SUMMARY, judge_run
from harness.judge.samples import samples_of
from harness.judge.scoring import AT_ONCE, PROFILES, score
from harness.local.layout import Layout
from harness.promptsets import store
from harness.runs.folder import RunFolder
from harness.stage import Stage
from harness.verdict import Verdict

_TINY: Final = (
    "The judge of the local stack has learnt to score answers to 16 plain facts, the probes among "
    "them, and nothing else. "
)
_TINY_SCORES: Final = f"{_TINY}What it says of other answers shows how judging works, no more."
_TINY_PAIRS: Final = (
    f"{_TINY}It can't compare two answers, so INVALID is what this must end with: ask the judge of "
    "a deployed stage (--gateway)."
)

_gateway = click.option(
    "--gateway",
    metavar="URL",
    help="A deployed stage, its key in LLMO_API_KEY.  [default: the local stack]",
)
_profile = click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="What an answer must score to pass: docs/http-api.md.",
)
_at_once = click.option(
    "--concurrency",
    "at_once",
    type=click.IntRange(1, 256),
    metavar="N",
    default=AT_ONCE,
    show_default=True,
    help="How many answers are judged at once.",
)
_run = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def judge() -> None:
    """What a judge says of answers, and may it be believed?"""


@judge.command("score")
@click.argument("run", metavar="RUN", type=_run)
@_gateway
@_profile
@_at_once
@click.option(
    "--min-pass-rate",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    default=0.8,
    show_default=True,
    help="Share of the answers that must pass.",
)
@click.pass_context
def score_command(
    ctx: click.Context,
    run: Path,
    gateway: str | None,
    profile: str,
    at_once: int,
    min_pass_rate: float,
) -> None:
    """Score the answers of a run.

    PASS 0; FAIL 1: too few answers pass; INCONCLUSIVE 2; INVALID 3: the judge fails its probes, or
    the run is not over or INVALID itself.
    Writes judgements.jsonl and judgements.json beside its records; called again it judges only
    what is missing.
    """
    console = terminal.console()
    stage = Stage.of(gateway)
    with terminal.progress("answers judged") as told:
        judged = asyncio.run(
            judge_run(
                stage,
                run,
                profile=profile,
                min_pass_rate=min_pass_rate,
                at_once=at_once,
                told=told,
            )
        )
    for arm in judged.arms:
        console.print(tables.scores(arm))
    console.print(terminal.findings(judged.findings))
    if stage.local:
        console.print(_TINY_SCORES)
    terminal.closing(console, judged.verdict, scores=run / SUMMARY)
    ctx.exit(judged.verdict.exit_code)


@judge.command()
@click.argument("left", type=_run)
@click.argument("right", type=_run)
@_gateway
@_at_once
@click.option("--left-arm", metavar="ARM", help="Where LEFT has two.  [default: the first]")
@click.option(
    "--right-arm",
    metavar="ARM",
    help="Where RIGHT has two; it may be the same run.  [default: the last]",
)
@click.option(
    "--model",
    metavar="NAME",
    default="eval",
    show_default=True,
    help="The judge: a team, or team/variant.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 0.5, max_open=True),
    metavar="SHARE",
    default=0.05,
    show_default=True,
    help="How far under one half the left side's win rate may be.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: LEFT/pairwise.json]",
)
@click.pass_context
def pairwise(  # noqa: PLR0913, PLR0917
    ctx: click.Context,
    left: Path,
    right: Path,
    gateway: str | None,
    at_once: int,
    left_arm: str | None,
    right_arm: str | None,
    model: str,
    margin: float,
    output: Path | None,
) -> None:
    """Which of two runs' answers does the judge prefer?

    Each pair of answers to the same row is judged in both orders; a preference that changes with
    the order is a tie.

    PASS 0: LEFT is not worse. FAIL 1: it is. INCONCLUSIVE 2: too few to tell. INVALID 3: a run
    is, or the judge fails its probes, with answers that must tie or lose.
    """
    console = terminal.console()
    stage = Stage.of(gateway)
    runs = RunFolder(left), RunFolder(right)
    arms = left_arm or runs[0].plan.arms[0].name, right_arm or runs[1].plan.arms[-1].name
    if left.resolve() == right.resolve() and arms[0] == arms[1]:
        raise WrongInput(f"{left} is compared with itself: name two runs, or two arms of one")
    pairs, unanswered = pairs_of(*runs, arms)
    with terminal.progress("pairs judged") as told:
        compared = asyncio.run(
            compare_runs(
                stage,
                pairs,
                sides=(f"{left.name}/{arms[0]}", f"{right.name}/{arms[1]}"),
                unanswered=unanswered,
                proven=validity.findings(*runs),
                model=model,
                margin=margin,
                at_once=at_once,
                told=told,
            )
        )
    path = output or left / "pairwise.json"
    journal.write(path, compared)
    _show(console, compared, path, local=stage.local)
    ctx.exit(compared.verdict.exit_code)


def _show(console: Console, compared: Compared, path: Path, *, local: bool) -> None:
    console.print(f"Left: {compared.left}. Right: {compared.right}.", soft_wrap=True)
    console.print(tables.preferences(compared.figures))
    console.print(tables.position(compared.figures))
    console.print(terminal.findings(compared.findings))
    failed = any(
        finding.name.startswith(probes.NAME) and finding.verdict is Verdict.INVALID
        for finding in compared.findings
    )
    if failed and local:
        console.print(_TINY_PAIRS)
    terminal.closing(console, compared.verdict, preferences=path)


@judge.command()
@_gateway
@_profile
@_at_once
@click.option(
    "--promptset",
    metavar="SET",
    default="eval-calibration",
    show_default=True,
    help="Answers with the scores that they should get.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The calibration's folder is made there.  [default: build/runs]",
)
@click.pass_context
def calibrate(
    ctx: click.Context,
    gateway: str | None,
    profile: str,
    at_once: int,
    promptset: str,
    output: Path | None,
) -> None:
    """Does the judge agree with scores that are known?

    PASS 0: with enough of them. FAIL 1: it doesn't, or passes an answer known to be bad.
    INCONCLUSIVE 2; INVALID 3: too many of its replies are none.
    """
    from harness.judge.page import page  # noqa: PLC0415  # drawing is slow to import
    from harness.report.page import write_page  # noqa: PLC0415

    console = terminal.console()
    loaded = store.load(promptset)
    samples = samples_of(loaded.rows, promptset)
    stage = Stage.of(gateway)
    with terminal.progress("answers judged") as told:
        done = iter(range(1, len(samples) + 1))
        outcomes = asyncio.run(
            score(
                stage,
                [sample.case for sample in samples],
                profile=profile,
                at_once=at_once,
                told=lambda _case, _outcome: told(next(done), len(samples)),
            )
        )
    found = calibration(
        samples,
        outcomes,
        promptset=loaded.manifest.name,
        version=loaded.manifest.version,
        profile=profile,
    )
    runs = output or Layout.of_repository().build / "runs"
    folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-calibration"
    journal.write(folder / "calibration.json", found)
    written = write_page(page(found), folder / "calibration.html")
    console.print(tables.calibration(found))
    console.print(terminal.findings(found.findings))
    terminal.closing(console, found.verdict, report=written)
    ctx.exit(found.verdict.exit_code)
