"""Timers of the fake engine: order is tested here, precision is measured elsewhere."""

import asyncio
from collections.abc import Callable

import pytest

from chalicelib.backends.fake.pacing import LoopPacer, Pacer, now, pacer_for


@pytest.mark.parametrize("make", [LoopPacer, pacer_for])
def test_callbacks_run_when_due_in_the_order_of_their_times(
    make: Callable[[asyncio.AbstractEventLoop], Pacer],
) -> None:
    ran: list[str] = []
    early: list[str] = []

    async def scenario() -> None:
        pacer = make(asyncio.get_running_loop())
        finished = asyncio.Event()
        start = now()

        def note(name: str, due: float) -> Callable[[], None]:
            def run() -> None:
                ran.append(name)
                if now() < due - 1e-6:
                    early.append(name)

            return run

        pacer.at(start + 0.006, finished.set)
        pacer.at(start + 0.004, note("third", start + 0.004))
        pacer.at(start + 0.002, note("second", start + 0.002))
        pacer.at(start - 1, note("first", start - 1))

        def nested() -> None:
            pacer.at(start + 0.005, note("fourth", start + 0.005))

        pacer.at(start + 0.001, nested)
        await finished.wait()
        pacer.close()

    asyncio.run(scenario())
    assert ran == ["first", "second", "third", "fourth"]
    assert early == []
