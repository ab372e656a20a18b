from datetime import date
from math import inf, nan
from typing import Any

import msgspec
import pytest

from harness.errors import PlanError
from harness.plan import Burst, Closed, Constant, Plan, Poisson, Ramp, Steps, plan_of

LOAD: dict[str, Any] = {"arrivals": {"type": "closed", "concurrency": 2}, "count": 5}


def document(**changes: object) -> dict[str, Any]:
    return {
        "run_id": "r1",
        "kind": "run",
        "created": "2026-01-01T00:00:00Z",
        "harness_version": "0.1.0",
        "promptset": {"name": "tiny", "version": 1, "sha256": "0" * 64},
        "arms": [{"name": "a", "url": "http://127.0.0.1:1", "model": "quant"}],
        "load": LOAD,
        **changes,
    }


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ({"type": "closed", "concurrency": 3}, Closed(concurrency=3)),
        ({"type": "constant", "rate": 2}, Constant(rate=2)),
        ({"type": "poisson", "rate": 0.5}, Poisson(rate=0.5)),
        ({"type": "ramp", "from_rate": 0, "to_rate": 5}, Ramp(from_rate=0, to_rate=5)),
        ({"type": "burst", "size": 10, "every_s": 2}, Burst(size=10, every_s=2)),
        ({"type": "steps", "rates": [1, 2]}, Steps(rates=(1, 2))),
    ],
)
def test_a_plan_survives_being_written(arrivals: dict[str, Any], expected: object) -> None:
    plan = plan_of(document(load={"arrivals": arrivals, "duration_s": 3}))

    assert plan.load.arrivals == expected
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"load": LOAD | {"arrivals": {"type": "closed", "concurrency": 0}}}, "load.arrivals.conc"),
        ({"load": LOAD | {"arrivals": {"type": "poisson", "rate": 0}}}, "> 0.0"),
        ({"load": LOAD | {"arrivals": {"type": "constant", "rate": -1}}}, "load.arrivals.rate"),
        ({"load": LOAD | {"arrivals": {"type": "constant", "rate": inf}}}, "load.arrivals.rate"),
        ({"load": LOAD | {"arrivals": {"type": "constant", "rate": nan}}}, "load.arrivals.rate"),
        ({"load": LOAD | {"count": None, "duration_s": inf}}, "load.duration_s"),
        ({"slo": {"ttft_ms": inf}}, "slo.ttft_ms"),
        ({"load": LOAD | {"arrivals": {"type": "sometimes"}}}, "Invalid value 'sometimes'"),
        ({"load": LOAD | {"arrivals": {"type": "steps", "rates": []}}}, "length >= 1"),
        ({"load": LOAD | {"duration_s": 3}}, "either count or duration_s"),
        ({"load": {"arrivals": LOAD["arrivals"]}}, "either count or duration_s"),
        (
            {"load": LOAD | {"arrivals": {"type": "ramp", "from_rate": 1, "to_rate": 2}}},
            "load.duration_s is missing",
        ),
        ({"load": LOAD | {"warmup": -1}}, "load.warmup"),
        ({"load": LOAD | {"speed": 1}}, "unknown field `speed`"),
        ({"arms": []}, "arms"),
        ({"seed": -1}, "seed"),
        ({"expect": {"max_error_rate": 2}}, "<= 1.0 - at `$.expect.max_error_rate`"),
        ({"generation": {"extra": {"a": nan}}}, "generation.extra"),
        ({"generation": {"extra": {"a": [date(2026, 1, 1)]}}}, "generation.extra"),
        ({"generation": {"extra": {"stream": True}}}, "'stream': use the arm's stream"),
        ({"generation": {"extra": {"top_k": 5, "max_tokens": 9}}}, "use generation.max_tokens"),
        ({"generation": {"extra": {"seed": 9}}}, "use the plan's seed"),
        ({"generation": {"extra": {"n": 2}}}, "'n': use --repeat"),
        ({"surprise": 1}, "unknown field `surprise`"),
    ],
)
def test_a_plan_that_can_t_be_is_refused_by_field(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanError) as refused:
        plan_of(document(**changes))

    assert told in str(refused.value)
