from collections import Counter

import pytest

from harness.errors import PlanError, PromptsetError
from harness.load.items import Items
from harness.plan import Arm, Arrivals, Burst, Constant, Load, Ramp, Steps
from harness.promptsets.rows import Expected, Request, Row
from tests.support.load import plan, rows

A = Arm(name="a", url="http://a.test", model="quant")
B = Arm(name="b", url="http://b.test", model="reference")


def test_every_row_comes_once_before_any_comes_twice() -> None:
    items = Items(plan(A), rows(10))
    epochs = [
        [items.item(index).row.prompt_id for index in range(begin, begin + 10)]
        for begin in range(0, 100, 10)
    ]
    assert all(len(set(epoch)) == 10 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 10


@pytest.mark.parametrize(("arms", "warmup"), [((A,), 3), ((A,), 25), ((A, B), 6), ((A, B), 7)])
def test_warm_up_uses_up_no_row_of_those_measured(arms: tuple[Arm, ...], warmup: int) -> None:
    load = Load(arrivals=Constant(rate=10), count=100, warmup=warmup)
    items = Items(plan(*arms, load=load), rows(10))
    first = plan(*arms, load=load).first_measured
    assert 0 <= first - warmup < len(arms)
    measured = [items.item(index) for index in range(first, first + 10 * len(arms))]
    for arm in arms:
        asked = [item.row.prompt_id for item in measured if item.arm == arm]
        assert sorted(asked) == [f"row-{number}" for number in range(10)]
    assert len({item.pair for item in map(items.item, range(100))}) == 100 // len(arms)


def test_warm_up_has_an_order_of_its_own_and_leaves_the_measured_one() -> None:
    load = Load(arrivals=Constant(rate=10), count=100, warmup=10)
    cold = Items(plan(A), rows(10))
    warm = Items(plan(A, load=load), rows(10))
    order = [cold.item(index).row for index in range(20)]
    assert [warm.item(10 + index).row for index in range(20)] == order
    warming = [warm.item(index).row for index in range(10)]
    assert len({row.prompt_id for row in warming}) == 10
    assert warming != order[:10]


def test_two_arms_are_asked_the_same_row_with_the_same_seed_in_a_drawn_order() -> None:
    items = Items(plan(A, B), rows(10))
    pairs = [(items.item(2 * pair), items.item(2 * pair + 1)) for pair in range(200)]
    assert all(one.row == other.row and one.seed == other.seed for one, other in pairs)
    assert all(one.pair == other.pair == pair for pair, (one, other) in enumerate(pairs))
    assert all({one.arm.name, other.arm.name} == {"a", "b"} for one, other in pairs)
    first = Counter(one.arm.name for one, _ in pairs)
    assert 60 < first["a"] < 140


def test_an_item_is_the_same_in_whatever_order_it_is_asked_for() -> None:
    one, other = Items(plan(A, B), rows(7)), Items(plan(A, B), rows(7))
    forth = [one.item(index) for index in range(100)]
    back = [other.item(index) for index in reversed(range(100))]
    assert forth == back[::-1]


def test_a_row_keeps_its_seed_when_it_comes_again_or_others_are_left_out() -> None:
    whole, few = Items(plan(A), rows(9)), Items(plan(A), rows(4))
    seeds = {item.row.prompt_id: item.seed for item in map(whole.item, range(9))}
    again = {item.row.prompt_id: item.seed for item in map(whole.item, range(9, 18))}
    of_few = {item.row.prompt_id: item.seed for item in map(few.item, range(4))}
    assert seeds == again
    assert len(set(seeds.values())) == 9
    assert of_few == {name: seeds[name] for name in of_few}


def test_another_seed_of_the_plan_deals_otherwise() -> None:
    one, other = Items(plan(A, seed=1), rows(20)), Items(plan(A, seed=2), rows(20))
    assert [one.item(i).row for i in range(20)] != [other.item(i).row for i in range(20)]
    assert one.item(0).seed != other.item(0).seed


def test_an_open_loop_by_duration_knows_its_count() -> None:
    load = Load(arrivals=Constant(rate=10), duration_s=2)
    assert Items(plan(A, load=load), rows()).planned == 20


@pytest.mark.parametrize(
    "arrivals",
    [
        Constant(rate=10),
        Burst(size=7, every_s=1),
        Steps(rates=(10,)),
        Ramp(from_rate=10, to_rate=10),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_open_loop_by_duration_asks_both_arms_of_its_last_pair(arrivals: Arrivals) -> None:
    """The one that is left over is sent with its counterpart, not after the duration."""
    load = Load(arrivals=arrivals, duration_s=2.1)
    assert Items(plan(A, load=load), rows()).planned == 21
    items = Items(plan(A, B, load=load), rows())
    assert items.planned == 22
    assert items.planned_at is not None
    assert items.planned_at(20) == items.planned_at(21) <= 2_100_000_000
    assert items.planned_at(19) <= items.planned_at(20)


def test_without_rows_there_is_nothing_to_ask() -> None:
    with pytest.raises(PlanError, match="no row of test v1 is selected"):
        Items(plan(A), ())


def test_what_is_no_prompt_is_not_asked() -> None:
    wrong = Row(
        prompt_id="wrong",
        request=Request(kind="malformed", path="/x", raw="{"),
        expect=Expected(status=(400,)),
        max_tokens=1,
        category="wrong",
    )
    with pytest.raises(PromptsetError, match="suite failures"):
        Items(plan(A), (wrong,))


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ((A, A), "both arms are named 'a'"),
        (
            (Arm(name="a", url="http://a.test", model="m", api="chatt"),),
            "'chatt' is none of predict",
        ),
        (
            (Arm(name="a", url="http://a.test", model="m", api="predict", stream=True),),
            "predict answers whole only; chat, completions can stream",
        ),
        ((Arm(name="a", url="ftp://a.test", model="m"),), "is not like http"),
        ((Arm(name="a", url="http://a:b@a.test", model="m"),), "more than a host"),
        ((Arm(name="a", url="http://a.test?key=b", model="m"),), "more than a host"),
        ((Arm(name="a", url="a.test:8000", model="m"),), "is not like http"),
        ((Arm(name="a", url="http://a.test:x", model="m"),), "is not like http"),
        ((Arm(name="a", url="http://a.test/\r\nX: y", model="m"),), "is not like http"),
    ],
)
def test_arms_that_cannot_be_asked_are_refused(arms: tuple[Arm, ...], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Items(plan(*arms), rows())
