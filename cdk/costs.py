"""What a stage costs by the hour: paused, running without traffic, and at most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cdk.assembly import Resource, objects
from cdk.deployment import Deployment
from cdk.inventory import Amounts, claimed_gib, inventory, requested_cpus, together
from cdk.kubernetes.node_pools import EPHEMERAL_STORAGE
from cdk.prices import HOURS_PER_MONTH, ON_DEMAND, Price, PriceList

SITUATIONS: Final = ("paused", "idle", "at most")
_GENERAL_NODE_CPUS: Final = 4  # between the 2 and 8 that the pool may choose
_NODE_DISK_GIB: Final = float(str(EPHEMERAL_STORAGE["size"]).removesuffix("Gi"))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One price, and how much of it each situation takes."""

    name: str
    price: Price | None
    amounts: tuple[float, ...]

    @property
    def hourly(self) -> tuple[float | None, ...]:
        """None: unknown. Nothing of it costs nothing, whatever its price."""
        usd = self.price.usd if self.price else None
        return tuple(
            (None if usd is None else amount * usd) if amount else 0.0 for amount in self.amounts
        )


@dataclass(frozen=True, kw_only=True)
class Total:
    """`unknown` names what is not in the sum; `estimated` is of it, by prices that are guesses."""

    hourly: float
    estimated: float
    unknown: tuple[str, ...]

    @property
    def monthly(self) -> float:
        return self.hourly * HOURS_PER_MONTH

    @property
    def estimated_share(self) -> float:
        return self.estimated / self.hourly if self.hourly else 0.0


def bill(
    deployment: Deployment,
    prices: PriceList,
    *,
    running: Sequence[Resource],
    paused: Sequence[Resource],
) -> list[Line]:
    disks = _disks(running)
    situations = (
        together(inventory(paused), _disks(paused)),
        together(inventory(running), disks, _general(running), _engines_idle(deployment)),
        together(
            inventory(running, most=True),
            disks,
            _nodes(deployment.stage.general.cpus),
            _engines_most(deployment, prices),
        ),
    )
    return [
        Line(
            name=name,
            price=prices.find(name),
            amounts=tuple(amounts.get(name, 0) for amounts in situations),
        )
        for name, amount in together(*situations).items()
        if amount
    ]


def totals(lines: Sequence[Line]) -> dict[str, Total]:
    return {
        situation: Total(
            hourly=math.fsum(line.hourly[at] or 0 for line in lines),
            estimated=math.fsum(
                line.hourly[at] or 0 for line in lines if line.price and line.price.estimate
            ),
            unknown=tuple(line.name for line in lines if line.hourly[at] is None),
        )
        for at, situation in enumerate(SITUATIONS)
    }


def _disks(found: Sequence[Resource]) -> Amounts:
    return {"disk-gib": claimed_gib(objects(found))}


def _general(found: Sequence[Resource]) -> Amounts:
    """Nodes have two CPUs at least."""
    return _nodes(2 * math.ceil(requested_cpus(objects(found)) / 2))


def _nodes(cpus: float) -> Amounts:
    disks = math.ceil(cpus / _GENERAL_NODE_CPUS) * _NODE_DISK_GIB
    return {"general-cpu": cpus, "auto-mode general-cpu": cpus, "disk-gib": disks}


def _engines_idle(deployment: Deployment) -> Amounts:
    """Each engine's fewest replicas, one a node, on the first of its instance types."""
    capacity = deployment.stage.gpu.capacity
    bought = "spot" if "spot" in capacity else capacity[0]
    engines = deployment.fleet.engines.values()
    return together(
        *(_gpu_nodes(bought, one.instance_types[0], one.replicas.min) for one in engines)
    )


def _engines_most(deployment: Deployment, prices: PriceList) -> Amounts:
    """As many GPUs as the stage may have, all on the dearest type that an engine may get."""
    gpu = deployment.stage.gpu
    bought = "on-demand" if "on-demand" in gpu.capacity else "spot"
    engines = deployment.fleet.engines.values()
    types = sorted({one for engine in engines for one in engine.instance_types})
    return _gpu_nodes(bought, max(types, key=lambda one: _usd(prices, one)), gpu.limit)


def _gpu_nodes(bought: str, instance: str, count: int) -> Amounts:
    return {
        f"{bought} {instance}": count,
        f"auto-mode {instance}": count,
        "disk-gib": count * _NODE_DISK_GIB,
    }


def _usd(prices: PriceList, instance: str) -> float:
    price = prices.find(f"{ON_DEMAND}{instance}")
    return price.usd if price else math.inf  # what is unknown may be the dearest
