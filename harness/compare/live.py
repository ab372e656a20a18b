"""Two arms asked the same items in one run, in an order drawn per pair."""

from typing import Final

import msgspec

from harness.errors import WrongInput
from harness.plan import Arm, Plan
from harness.runs.beginning import Prepared, prepared
from harness.runs.planning import Document
from harness.stage import Stage

ENGINE: Final = "engine:"


def prepared_pair(
    reference: str,
    candidate: str,
    document: Document,
    repeat: int,
    stack: Stage | None,
) -> Prepared:
    """`reference`, `candidate`: a team, team/variant, or `engine:NAME` of the local stack. An
    address in the document's `arm` is that of another gateway.

    Every row is asked of both, `repeat` times, and the warm-up comes on top for each. Raises
    WrongInput where they can't be compared, else what `run` raises.
    """
    if reference == candidate:
        raise WrongInput(f"{reference} is named twice: a model is not compared with itself")
    one, other = (_prepared(name, document, repeat, stack) for name in (reference, candidate))
    arms = _arm(one.plan, reference), _arm(other.plan, candidate)
    if (arms[0].api, arms[0].stream) != (arms[1].api, arms[1].stream):
        raise WrongInput(
            f"{reference} is asked by another API than {candidate}: name two engines, or two teams"
        )
    plan = msgspec.structs.replace(
        one.plan,
        run_id=f"{one.plan.run_id}-{_slug(arms[0].name)}-{_slug(arms[1].name)}",
        arms=arms,
        load=msgspec.structs.replace(
            one.plan.load,
            count=None if one.plan.load.count is None else 2 * one.plan.load.count,
            warmup=2 * one.plan.load.warmup,
        ),
    )
    keys = {arms[0].name: _key(one), arms[1].name: _key(other)}
    return Prepared(plan, one.rows, keys)


def _prepared(name: str, document: Document, repeat: int, stack: Stage | None) -> Prepared:
    engine = name.removeprefix(ENGINE) if name.startswith(ENGINE) else None
    values = {
        "team": None if engine else name,
        "engine": engine,
        "count": None,
        "repeat": repeat,
    }
    return prepared("compare", document, values, stack)


def _arm(plan: Plan, name: str) -> Arm:
    return msgspec.structs.replace(plan.arms[0], name=name.removeprefix(ENGINE))


def _key(of: Prepared) -> str:
    return next(iter(of.keys.values()))


def _slug(name: str) -> str:
    return name.replace("/", "-")
