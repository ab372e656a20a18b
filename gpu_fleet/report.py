"""The plan as a table."""

from collections.abc import Iterable

from rich.table import Table

from gpu_fleet.plan import Fit

COLUMNS = (
    "engine",
    "instance",
    "budget",
    "weights",
    "LoRA",
    "activations",
    "runtime",
    "KV cache",
    "KV tokens",
    "full seqs",
    "pod CPU",
    "pod GiB",
    "verdict",
)


def plan_table(rows: Iterable[tuple[str, str, Fit]]) -> Table:
    table = Table(title="GPU memory in GiB; pod: asked / there is", title_justify="left")
    for column in COLUMNS:
        table.add_column(
            column, justify="left" if column in COLUMNS[:2] else "right", overflow="fold"
        )
    for engine, instance, fit in rows:
        numbers = (
            fit.budget,
            fit.weights,
            fit.adapters,
            fit.activations,
            fit.runtime,
            fit.kv_cache,
        )
        table.add_row(
            engine,
            instance,
            *(f"{number:.2f}" for number in numbers),
            str(fit.kv_tokens),
            str(fit.full_sequences),
            f"{fit.pod_cpu:g} / {fit.node_cpu:.2f}",
            f"{fit.pod_memory:g} / {fit.node_memory:.1f}",
            "fits" if fit.fits else "REFUSED",
        )
    return table
