"""`python -m harness promptset …`."""

from pathlib import Path
from typing import Final

import click
from rich.table import Table

from harness import terminal
from harness.errors import PromptsetError
from harness.options import FOLDER, FROM_0, OUTPUT_FOLDER, SEED
from harness.promptsets import sources, store
from harness.promptsets.generator import PromptsetGenerator
from harness.promptsets.lint import lint as lint_folders
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row
from harness.promptsets.store import folder_of, load, shipped
from harness.promptsets.tokens import TOKENIZER, Counter

TOKENIZER_FOLDER: Final = Path("build/models/reference")
OUTPUT: Final = Path("build/promptsets")
FAULTY: Final = 1
_tokenizer = click.option(
    "--tokenizer",
    type=FOLDER,
    metavar="DIR",
    default=TOKENIZER_FOLDER,
    show_default=True,
    help="Folder of the served model, with tokenizer.json and chat_template.jinja.",
)


@click.group()
def promptset() -> None:
    """What is asked: show, check, make, publish promptsets."""


@promptset.command()
@click.argument("scenario", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every scenario there is.")
@click.option(
    "--seed",
    type=SEED,
    metavar="N",
    help="Instead of the scenario's own.",
)
@click.option("--domain", metavar="NAME", default="", help="Draw each row from this domain.")
@click.option(
    "--output",
    type=OUTPUT_FOLDER,
    metavar="DIR",
    default=OUTPUT,
    show_default=True,
    help="Sets go there.",
)
@_tokenizer
@click.option("--no-tokens", is_flag=True, help="Don't count tokens; `lint` will say so.")
def generate(
    scenario: tuple[str, ...],
    seed: int | None,
    domain: str,
    output: Path,
    tokenizer: Path,
    *,
    everything: bool,
    no_tokens: bool,
) -> None:
    """Make promptsets from scenarios, one folder each.

    The same seed makes the same bytes. The sets that are shipped are made by
    `promptset generate --all --output harness/promptsets`.
    """
    names = sources.known("scenarios") if everything else scenario
    if not names:
        raise click.UsageError(
            f"name a scenario, or --all: {', '.join(sources.known('scenarios'))}"
        )
    for name in names:
        own = sources.scenario(name).seed
        made = PromptsetGenerator(
            seed=own if seed is None else seed, tokenizer=None if no_tokens else tokenizer
        ).generate_promptset(name, domain, output_dir=output)
        click.echo(f"{output / made.name}: {len(made.rows)} rows, {made.manifest.sha256[:12]}")


@promptset.command()
@click.argument("name", nargs=-1)
@_tokenizer
@click.pass_context
def lint(context: click.Context, name: tuple[str, ...], tokenizer: Path) -> None:
    """Is every row sound, and every check worth asking?

    NAME is a shipped set, or a folder; all that are shipped, where none is named. Ends with 1 where
    there is a fault. Without a tokenizer the manifest's token figures are taken.
    """
    folders = [_local(one) for one in name or shipped()]
    count = Counter(tokenizer).count if (tokenizer / TOKENIZER).exists() else None
    faults = lint_folders(folders, count)
    for fault in faults:
        click.echo(str(fault))
    click.echo(f"{_number(len(folders), 'set')}, {_number(len(faults), 'fault')}")
    if faults:
        context.exit(FAULTY)


@promptset.command()
@click.argument("name", required=False)
@click.option(
    "--rows",
    type=FROM_0,
    metavar="N",
    default=8,
    show_default=True,
    help="So many, spread over the whole set.",
)
@click.option("--category", metavar="NAME", help="Only rows of this category.")
def show(name: str | None, rows: int, category: str | None) -> None:
    """Show a set and some of its rows; or which sets there are."""
    console = terminal.console()
    if name is None:
        console.print(_overview())
        return
    found = load(name)
    chosen = found.select(found.ref(categories=(category,) if category else ()))
    console.print(_manifest_table(found.manifest))
    if rows:
        step = max(1, len(chosen) // rows)
        console.print(_rows_table(chosen[::step][:rows]))


@promptset.command()
@click.argument("name")
@click.argument("bucket")
def push(name: str, bucket: str) -> None:
    """Publish a set to a bucket, once for each version.

    BUCKET is written s3://bucket or s3://bucket/prefix.
    """
    from harness.promptsets import s3  # noqa: PLC0415  (boto3 takes a quarter of a second)

    found = load(name)
    click.echo(s3.push(found.manifest, found.rows, bucket))


def _local(name: str) -> Path:
    if name.startswith(store.S3):
        raise PromptsetError(f"{name}: only folders are linted; lint the set before it is pushed")
    folder = folder_of(name)
    if not folder.is_dir():
        raise PromptsetError(
            f"{name}: there is no such folder; 'promptset show' tells shipped sets"
        )
    return folder


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _overview() -> Table:
    table = Table("name", "version", "rows", "tokens", "splits", "description")
    table.caption = "tokens: of the longest row with its answer"
    table.caption_justify = "left"
    for name in shipped():
        manifest = load(name).manifest
        longest = "" if manifest.tokens is None else str(manifest.tokens.max_with_answer)
        table.add_row(
            name,
            str(manifest.version),
            str(manifest.count),
            longest,
            ", ".join(manifest.splits),
            manifest.description,
        )
    return table


def _manifest_table(manifest: Manifest) -> Table:
    table = Table(show_header=False, title=f"{manifest.name} v{manifest.version}")
    tokens = manifest.tokens
    for label, value in {
        "description": manifest.description,
        "rows": str(manifest.count),
        "sha256": manifest.sha256,
        "seed": str(manifest.seed),
        "made by": f"{manifest.generator.name}, from {', '.join(manifest.generator.sources)}",
        "prompt tokens": "not measured"
        if tokens is None
        else f"{tokens.min} to {tokens.max}, median {tokens.p50}, p95 {tokens.p95},"
        f" {tokens.total:,} in all; with the answer {tokens.max_with_answer} of"
        f" {manifest.context} at most (tokenizer {tokens.tokenizer},"
        f" {tokens.tokenizer_sha256[:12]})",
        "categories": _listed(manifest.categories),
        "buckets": _listed(manifest.buckets),
        "splits": _listed(manifest.splits),
        "harness": manifest.harness,
    }.items():
        table.add_row(label, value)
    return table


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _rows_table(rows: tuple[Row, ...]) -> Table:
    table = Table("row", "asks", "right answer", "checks", show_lines=True)
    for row in rows:
        asked = row.question if row.request is None else f"{row.request.method} {row.request.path}"
        answer = row.reference if row.candidate is None else f"{row.candidate!r} is judged"
        checks = ", ".join(str(check.__struct_config__.tag) for check in row.checks)
        if row.expect is not None:
            checks = f"status {', '.join(map(str, row.expect.status))}"
        table.add_row(f"{row.prompt_id}\n{row.category}", asked, answer, checks)
    return table
