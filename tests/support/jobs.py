"""Plans, rows and records for tests of runs by many."""

import secrets
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from msgspec.structs import replace

from harness.draws import words
from harness.load.items import Items
from harness.plan import Plan, PromptsetRef, plan_of
from harness.promptsets import manifest as manifests
from harness.promptsets.manifest import Generator
from harness.promptsets.rows import Row, encoded
from harness.records import Record
from tests.support.local_aws import REGION, LocalAws

ROWS = tuple(
    Row(
        prompt_id=f"p{number}",
        prompt=f"Question {number}?",
        max_tokens=8,
        category="odd" if number % 2 else "even",
        split="eval_holdout",
    )
    for number in range(7)
)


def plan(
    load: dict[str, Any] | None = None,
    *,
    shards: int = 4,
    arms: int = 1,
    **fields: Any,  # noqa: ANN401
) -> Plan:
    document = {
        "run_id": "a-run",
        "kind": "run",
        "created": "2026-11-23T00:00:00Z",
        "harness_version": "0.1.0",
        "promptset": {"name": "tiny", "version": 1, "sha256": "0" * 64},
        "arms": [
            {"name": f"arm{number}", "url": "http://127.0.0.1:9", "model": "m"}
            for number in range(arms)
        ],
        "load": load or {"arrivals": {"type": "constant", "rate": 100}, "count": 50},
        "expect": {"max_error_rate": 1.0},
        "shards": shards,
        **fields,
    }
    return plan_of(document)


def asking(plan: Plan, url: str, **fields: Any) -> Plan:  # noqa: ANN401
    return replace(plan, arms=tuple(replace(arm, url=url, **fields) for arm in plan.arms))


def recorded(plan: Plan, rows: Sequence[Row], indices: Iterable[int]) -> Iterable[Record]:
    """Records as they might be: latencies, failures and tokens drawn by index."""
    items = Items(plan, rows)
    draw = words(plan.seed, "made-up answers")
    for index in indices:
        item, made_up = items.item(index), Random(draw(index))
        planned = index * 1_000_000
        sent = planned + made_up.randrange(900_000)
        first = sent + made_up.randrange(1_000_000, 400_000_000)
        gaps = tuple(made_up.randrange(100, 90_000) for _ in range(made_up.randrange(9)))
        failed = made_up.random() < 0.05
        yield Record(
            index=index,
            arm=item.arm.name,
            prompt_id=item.row.prompt_id,
            planned_ns=planned,
            sent_ns=sent,
            first_ns=None if failed else first,
            end_ns=first + sum(gaps) * 1_000,
            gaps_us=() if failed else gaps,
            status=500 if failed else 200,
            error="status_5xx" if failed else "",
            finish_reason="" if failed else "stop",
            output="" if failed else "words " * len(gaps),
            prompt_tokens=None if failed else 11,
            completion_tokens=None if failed else len(gaps) + 1,
        )


def bucket_in(aws: LocalAws) -> str:
    """A bucket of its own for each test."""
    name = f"runs-{secrets.token_hex(6)}"
    aws.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return name


def pushed(aws: LocalAws, bucket: str, rows: tuple[Row, ...] = ROWS) -> PromptsetRef:
    """A promptset of `rows` in the bucket, and what a plan says of it."""
    described = manifests.describe(
        rows,
        name="for-jobs",
        version=1,
        description="For tests of jobs.",
        seed=0,
        generator=Generator(name="by hand"),
        tokens=None,
        context=1024,
    )
    s3 = aws.client("s3")
    for name, body in (
        (manifests.FILE, manifests.encode(described)),
        (manifests.ROWS, encoded(rows)),
    ):
        s3.put_object(Bucket=bucket, Key=f"promptsets/for-jobs/v1/{name}", Body=body)
    return PromptsetRef(name="for-jobs", version=1, sha256=described.sha256)
