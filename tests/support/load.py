"""Plans and rows for loads in tests."""

from typing import Any

from harness.load.drive import Driven, drive, run_loop
from harness.plan import Arm, Closed, Load, Plan, PromptsetRef
from harness.promptsets.rows import Row
from harness.records import Record


def rows(count: int = 3) -> tuple[Row, ...]:
    return tuple(
        Row(prompt_id=f"row-{number}", prompt=f"Say {number}.", max_tokens=8, category="test")
        for number in range(count)
    )


def plan(*arms: Arm, load: Load | None = None, **fields: Any) -> Plan:  # noqa: ANN401  # Plan's
    return Plan(
        **{
            "run_id": "run-1",
            "kind": "run",
            "created": "2026-11-23T12:00:00Z",
            "harness_version": "0",
            "promptset": PromptsetRef(name="test", version=1, sha256="0"),
            "arms": arms or (Arm(name="a", url="http://127.0.0.1:1", model="m"),),
            "load": load or Load(arrivals=Closed(concurrency=2), count=6),
            **fields,
        }
    )


def driven(of: Plan, **options: Any) -> tuple[Driven, list[Record]]:  # noqa: ANN401  # drive's
    """What a whole drive gave, its records in the order of their indices."""
    records: list[Record] = []
    options = {"keys": {}, "sink": records.append, **options}
    result = run_loop(drive(of, rows(), **options))
    return result, sorted(records, key=lambda record: record.index)
