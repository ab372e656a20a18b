import asyncio
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from harness.load.pacing import LoopTimers, Timers, now, timers_of

MS = 1_000_000
Make = Callable[[asyncio.AbstractEventLoop], Timers]


@pytest.fixture(params=[timers_of, LoopTimers], ids=["finest", "of the loop"])
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


def _run(make: Make, script: Callable[[Timers, asyncio.Event], None]) -> None:
    async def main() -> None:
        timers, done = make(asyncio.get_running_loop()), asyncio.Event()
        script(timers, done)
        try:
            await asyncio.wait_for(done.wait(), 20)
        finally:
            timers.close()

    uvloop.run(main())


def test_callbacks_come_in_the_order_of_their_moments_and_never_early(make: Make) -> None:
    begin, came = now(), list[tuple[int, int]]()

    def script(timers: Timers, done: asyncio.Event) -> None:
        def note(after: int) -> None:
            came.append((after, now() - begin))

        for after in (9, 3, 6):
            timers.at(begin + after * MS, partial(note, after))
        timers.at(begin + 12 * MS, done.set)

    _run(make, script)
    assert [after for after, _ in came] == [3, 6, 9]
    assert all(at >= after * MS for after, at in came)


def test_a_loop_that_was_busy_calls_none_early(make: Make) -> None:
    """Its clock then stands where it stood before the work."""
    came: list[tuple[int, int]] = []

    def note(moment: int) -> None:
        came.append((moment, now()))

    def script(timers: Timers, done: asyncio.Event) -> None:
        busy_until = now() + 5 * MS
        while now() < busy_until:
            pass
        for moment in (busy_until + 3 * MS, busy_until + 3 * MS + 1, busy_until + 4 * MS):
            timers.at(moment, partial(note, moment))
        timers.at(busy_until + 4 * MS, done.set)

    _run(make, script)
    assert len(came) == 3
    assert all(at >= moment for moment, at in came)
    assert came == sorted(came)


def test_one_that_is_due_before_the_others_comes_before_them(make: Make) -> None:
    came: list[str] = []

    def script(timers: Timers, done: asyncio.Event) -> None:
        timers.at(now() + 60_000 * MS, lambda: came.append("in a minute"))
        timers.at(now() + MS, lambda: came.append("soon"))
        timers.at(now() + 2 * MS, done.set)

    _run(make, script)
    assert came == ["soon"]


def test_a_callback_that_fails_keeps_none_of_the_others_from_being_called(make: Make) -> None:
    async def main() -> tuple[list[str], list[str]]:
        loop, came, said = asyncio.get_running_loop(), list[str](), list[str]()
        loop.set_exception_handler(lambda _, what: said.append(str(what["exception"])))
        timers, done = make(loop), asyncio.Event()

        def fail() -> None:
            raise RuntimeError("as it happens")

        timers.at(0, fail)
        timers.at(1, lambda: came.append("the next"))
        timers.at(2, done.set)
        await asyncio.wait_for(done.wait(), 20)
        timers.close()
        return came, said

    assert uvloop.run(main()) == (["the next"], ["as it happens"])


def test_a_moment_that_has_passed_comes_soon_but_not_within_the_call(make: Make) -> None:
    came: list[str] = []

    def script(timers: Timers, done: asyncio.Event) -> None:
        timers.at(0, done.set)
        timers.at(now() - MS, lambda: came.append("past"))
        assert came == []

    _run(make, script)
    assert came in ([], ["past"])


def test_a_callback_can_set_the_next(make: Make) -> None:
    came: list[int] = []

    def script(timers: Timers, done: asyncio.Event) -> None:
        def again() -> None:
            came.append(now())
            if len(came) == 5:
                done.set()
            else:
                timers.at(now() + MS, again)

        timers.at(now(), again)

    _run(make, script)
    assert len(came) == 5


def test_closed_timers_forget_what_was_to_come(make: Make) -> None:
    async def main() -> list[str]:
        loop, came = asyncio.get_running_loop(), list[str]()
        timers, others = make(loop), make(loop)
        done = asyncio.Event()
        timers.at(now() + MS, lambda: came.append("late"))
        timers.close()
        others.at(now() + 5 * MS, done.set)
        await asyncio.wait_for(done.wait(), 20)
        others.close()
        return came

    assert uvloop.run(main()) == []
