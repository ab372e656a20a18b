"""The arithmetic of sizing, and that the docs show it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from harness.jobs import sizing
from harness.jobs.commands import jobs
from harness.jobs.limits import LAMBDA

DOCS = Path(__file__).parents[4] / "docs" / "load-sizing.md"


@pytest.mark.parametrize(
    ("tokens_per_s", "streams", "bound"),
    [(20, 960, "file descriptors"), (100, 277, "CPU"), (200, 138, "CPU")],
)
def test_a_function_carries_what_its_scarcest_resource_allows(
    tokens_per_s: float, streams: int, bound: str
) -> None:
    found = sizing.capacity(tokens_per_s, sizing.basis())
    assert (found.streams, found.bound) == (streams, bound)


def test_a_small_function_is_bound_by_its_memory() -> None:
    basis = sizing.basis()
    small = replace(basis, function=replace(basis.function, memory_mb=220))
    found = sizing.capacity(1, small)
    assert (found.streams, found.bound) == (320, "memory")


def test_functions_are_whole_and_enough() -> None:
    basis = sizing.basis()
    assert sizing.functions_for(277, 100, basis) == 1
    assert sizing.functions_for(278, 100, basis) == 2
    assert sizing.functions_for(50_000, 100, basis) == 181


def test_the_cost_is_that_of_gigabyte_seconds_transitions_and_objects() -> None:
    found = sizing.cost(110, 600, sizing.basis(), parts=1)
    gb_seconds = 110 * 675 * 1769 / 1024
    assert found.functions == pytest.approx(gb_seconds * 0.0000133334 + 112 * 0.0000002)
    assert found.workflow == pytest.approx((220 + 6) * 0.000025)
    assert found.objects == pytest.approx(334 * 0.000005 + 555 * 0.0000004)
    assert found.total == pytest.approx(1.7178, abs=1e-4)


def test_the_docs_name_the_price_of_the_functions_own_architecture() -> None:
    """Which is arm64: tests of the functions' stack hold it to that."""
    prices = sizing.basis().prices
    assert f"${prices.lambda_gb_second:.10f}, the price of an arm64 GB-second" in DOCS.read_text(
        "utf-8"
    )
    assert prices.as_of in DOCS.read_text("utf-8")


def test_express_children_would_cost_more() -> None:
    basis = sizing.basis()
    assert (
        sizing.cost(110, 225, basis, express=True).workflow > sizing.cost(110, 225, basis).workflow
    )


def test_the_file_descriptors_are_those_that_planning_allows() -> None:
    assert sizing.basis().function.file_descriptors == LAMBDA.streams


def test_the_docs_show_the_table_that_the_command_prints() -> None:
    printed = CliRunner().invoke(jobs, ["size"]).output.strip()
    assert printed == sizing.table()
    assert printed in DOCS.read_text("utf-8"), "paste the output of `python -m harness jobs size`"
