"""Which row is asked of whom by request `i`: a pure function of the plan and its rows."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from harness.draws import permutation, words
from harness.errors import PlanError, PromptsetError
from harness.load.apis import check_arms
from harness.load.item import Item
from harness.load.schedule import PlannedAt, planned_at, planned_count
from harness.plan import Plan
from harness.promptsets.rows import Row

_SEED_BITS: Final = 31


class Items:
    """Every row comes once before any comes twice, in an order drawn anew each time. Warm-up has
    an order of its own, and the requests measured begin with each row once.

    Two arms are asked in pairs: `2 * pair` and `2 * pair + 1`, whose order is drawn per pair, so
    that neither arm profits from coming second.
    """

    def __init__(self, plan: Plan, rows: Sequence[Row]) -> None:
        """Raises PlanError for arms that can't be asked, or where nothing is to be asked, and
        PromptsetError where what is to be asked is no prompt.
        """
        check_arms(plan.arms)
        if not rows:
            ref = plan.promptset
            raise PlanError(
                f"plan: nothing to ask: no row of {ref.name} v{ref.version} is selected"
            )
        if any(not row.turns for row in rows):
            raise PromptsetError(
                f"promptset {plan.promptset.name}: it holds requests that are wrong on purpose, "
                "not prompts: 'suite failures' is what sends them"
            )
        self.planned: Final = planned_count(plan.load, plan.seed, len(plan.arms))
        self.planned_at: Final[PlannedAt | None] = planned_at(plan.load, plan.seed, len(plan.arms))
        self._arms = plan.arms
        self._rows = rows
        self._swap = words(plan.seed, "arms")
        self._seeds = [
            words(plan.seed, f"seed of {row.prompt_id}")(0) >> (64 - _SEED_BITS) for row in rows
        ]
        self._warm_up = plan.first_measured // len(plan.arms)
        self._order = lru_cache(maxsize=8)(lambda stream: permutation(plan.seed, stream, len(rows)))

    def item(self, index: int) -> Item:
        pair, second = divmod(index, len(self._arms))
        if len(self._arms) > 1:
            second ^= self._swap(pair) & 1
        number = self._row(pair)
        return Item(
            index=index,
            arm=self._arms[second],
            row=self._rows[number],
            pair=pair,
            seed=self._seeds[number],
        )

    def _row(self, pair: int) -> int:
        warm = pair < self._warm_up
        epoch, place = divmod(pair if warm else pair - self._warm_up, len(self._rows))
        return self._order(f"warm-up rows {epoch}" if warm else f"rows {epoch}")[place]
