"""Every resource of every stage is known to bill by time, by use, or not at all."""

import pytest

from cdk.assembly import resources
from cdk.costs import bill, totals
from cdk.deployment import Deployment
from cdk.prices import load_prices
from tests.support.synth import STAGES, assembly


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_of_a_stage_is_missing_from_its_bill(stage: str) -> None:
    running = resources(assembly(stage))
    lines = bill(Deployment.read(stage), load_prices(), running=running, paused=running)
    assert [line.name for line in lines if line.price is None] == []
    counted = {line.name for line in lines}
    assert {"eks-cluster", "nat-gateway", "load-balancer", "waf-acl", "secret"} <= counted


def test_a_paused_stage_keeps_what_stays_and_has_no_node_nor_instance() -> None:
    lines = bill(
        Deployment.read("staging"),
        load_prices(),
        running=resources(assembly("staging")),
        paused=resources(assembly("staging", "paused=true")),
    )
    paused = {line.name for line in lines if line.amounts[0]}
    assert "eks-cluster" in paused
    assert not any(name.startswith(("spot", "on-demand", "sagemaker")) for name in paused)
    assert "general-cpu" not in paused
    summed = totals(lines)
    assert summed["paused"].hourly < summed["idle"].hourly < summed["at most"].hourly
