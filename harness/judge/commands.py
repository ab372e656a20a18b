"""`python -m harness judge …`."""

import asyncio
from pathlib import Path

import click

from harness import terminal
from harness.judge import journal, showing
from harness.judge.calibrating import calibrated, write
from harness.judge.comparing import compare_runs, sides_of
from harness.judge.judging import judge_run
from harness.judge.scoring import AT_ONCE, PROFILES
from harness.local.layout import Layout
from harness.options import GATEWAY, KNOWN_FOLDER, OUTPUT_FILE, OUTPUT_FOLDER, SHARE, FiniteRange
from harness.stage import Stage

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


@click.group()
def judge() -> None:
    """What a judge says of answers, and may it be believed?"""


@judge.command("score")
@click.argument("run", metavar="RUN", type=KNOWN_FOLDER)
@GATEWAY
@_profile
@_at_once
@click.option(
    "--min-pass-rate",
    type=SHARE,
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
    showing.scores(terminal.console(), judged, run, local=stage.local)
    ctx.exit(judged.verdict.exit_code)


@judge.command()
@click.argument("left", type=KNOWN_FOLDER)
@click.argument("right", type=KNOWN_FOLDER)
@GATEWAY
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
    type=FiniteRange(0, 0.5, max_open=True),
    metavar="SHARE",
    default=0.05,
    show_default=True,
    help="How far under one half the left side's win rate may be.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT_FILE,
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
    stage = Stage.of(gateway)
    asked = sides_of(left, right, (left_arm, right_arm))
    with terminal.progress("pairs judged") as told:
        compared = asyncio.run(
            compare_runs(stage, asked, model=model, margin=margin, at_once=at_once, told=told)
        )
    path = output or left / "pairwise.json"
    journal.write(path, compared)
    showing.pairwise(terminal.console(), compared, path, local=stage.local)
    ctx.exit(compared.verdict.exit_code)


@judge.command()
@GATEWAY
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
    type=OUTPUT_FOLDER,
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
    stage = Stage.of(gateway)
    with terminal.progress("answers judged") as told:
        found = asyncio.run(
            calibrated(stage, promptset, profile=profile, at_once=at_once, told=told)
        )
    written = write(found, output or Layout.of_repository().build / "runs")
    showing.calibration(terminal.console(), found, written)
    ctx.exit(found.verdict.exit_code)
