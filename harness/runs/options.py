"""The options of `run` and `benchmark`: each is a field of a plan, and a line of help."""

from collections.abc import Mapping
from typing import Any, Final

import click

from harness.errors import WrongInput
from harness.options import (
    ABOVE_0,
    CATEGORY,
    FOLDER,
    FROM_0,
    FROM_1,
    PLAN_FILE,
    RUNS,
    SHARE,
    FiniteRange,
    promptset,
)
from harness.runs.planning import Document, layered

Values = Mapping[str, Any]

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "seed": ("seed",),
    "duration": ("load", "duration_s"),
    "warmup": ("load", "warmup"),
    "max_in_flight": ("load", "max_in_flight"),
    "timeout": ("arm", "timeout_s"),
    "max_tokens": ("generation", "max_tokens"),
    "temperature": ("generation", "temperature"),
    "unique_prefix": ("generation", "unique_prefix"),
    "ignore_eos": ("generation", "extra", "ignore_eos"),
    "min_pass_rate": ("expect", "min_pass_rate"),
    "max_error_rate": ("expect", "max_error_rate"),
    "min_goodput": ("expect", "min_goodput"),
    "slo_ttft_ms": ("slo", "ttft_ms"),
    "slo_tpot_ms": ("slo", "tpot_ms"),
    "slo_latency_ms": ("slo", "latency_ms"),
    "prefix_reuse": ("validity", "prefix_reuse"),
    "promptset": ("promptset", "name"),
    "split": ("promptset", "split"),
    "category": ("promptset", "categories"),
    "bucket": ("promptset", "buckets"),
    "url": ("arm", "url"),
    "model": ("arm", "model"),
    "api": ("arm", "api"),
    "stream": ("arm", "stream"),
}

WHOM: Final = (
    click.option("--team", metavar="TEAM", help="Ask this team of the gateway."),
    click.option("--model", metavar="NAME", help="Ask this model: team/variant, or an engine's."),
    click.option("--url", metavar="URL", help="Ask there.  [default: the local stack's gateway]"),
    click.option("--engine", metavar="NAME", help="Ask this engine of the local stack directly."),
    click.option(
        "--api",
        type=click.Choice(["predict", "chat", "completions"]),
        help="[default: predict at the gateway, chat at an engine]",
    ),
    click.option(
        "--stream/--whole",
        default=None,
        help="[default: whole at the gateway, streamed at an engine]",
    ),
    click.option(
        "--timeout", type=ABOVE_0, metavar="S", help="Seconds for one answer.  [default: 120]"
    ),
)
WHAT: Final = (
    promptset(),
    click.option("--split", metavar="SPLIT", help="Only rows of this split."),
    CATEGORY,
    click.option(
        "--bucket", multiple=True, metavar="NAME", help="Only rows of this bucket; repeatable."
    ),
    click.option(
        "--seed",
        type=FROM_0,
        metavar="N",
        help="Of the rows' order, of arrivals and of sampling.  [default: 0]",
    ),
    click.option("--max-tokens", type=FROM_1, metavar="N", help="Instead of each row's own."),
    click.option(
        "--ignore-eos",
        is_flag=True,
        default=None,
        help="Every answer as long as it may be, so that servers do the same work (vLLM's).",
    ),
    click.option("--temperature", type=FiniteRange(0, 2), metavar="T", help="[default: 0]"),
    click.option(
        "--unique-prefix/--same-prefix",
        default=None,
        help="Begin each prompt with a number of its own, past every prefix cache.",
    ),
)
HOW_MANY: Final = (
    click.option("--count", type=FROM_1, metavar="N", help="Requests to measure."),
    click.option(
        "--duration", type=ABOVE_0, metavar="S", help="Seconds to go on for, instead of a count."
    ),
    click.option(
        "--warmup", type=FROM_0, metavar="N", help="Requests before those that are measured."
    ),
    click.option(
        "--concurrency",
        type=FROM_1,
        metavar="N",
        help="Requests under way at once: a closed loop.",
    ),
    click.option(
        "--max-in-flight",
        type=FROM_1,
        metavar="N",
        help="An open loop that would go beyond is INVALID.",
    ),
)
ASKED: Final = (
    click.option(
        "--min-pass-rate", type=SHARE, metavar="SHARE", help="Share of answers that must pass."
    ),
    click.option(
        "--max-error-rate", type=SHARE, metavar="SHARE", help="Share of requests that may fail."
    ),
    click.option(
        "--slo-ttft-ms", type=ABOVE_0, metavar="MS", help="Objective: time to first token."
    ),
    click.option(
        "--slo-tpot-ms", type=ABOVE_0, metavar="MS", help="Objective: time per output token."
    ),
    click.option(
        "--slo-latency-ms", type=ABOVE_0, metavar="MS", help="Objective: the whole answer."
    ),
    click.option(
        "--min-goodput",
        type=SHARE,
        metavar="SHARE",
        help="Share of requests that must meet all objectives.",
    ),
    click.option(
        "--prefix-reuse",
        type=SHARE,
        metavar="SHARE",
        help="More of the prompts' tokens from the engine's cache make the run INVALID.",
    ),
)
FILES: Final = (
    PLAN_FILE,
    RUNS,
    click.option("--report/--no-report", default=True, help="Write report.html, or not."),
    click.option("--resume", type=FOLDER, metavar="RUN", help="Go on with this run."),
)


def document_of(values: Values) -> Document:
    """The part of a plan that was said on the command line."""
    document: Document = {}
    for name, path in FIELDS.items():
        value = values.get(name)
        if value is None or value == ():
            continue
        nested: Any = value
        for part in reversed(path):
            nested = {part: nested}
        document = layered(document, nested)
    if values.get("count") is not None:
        if values.get("duration") is not None:
            raise WrongInput("--count and --duration: give one of them")
        document = layered(document, {"load": {"count": values["count"]}})
    return document
