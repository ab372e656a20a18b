"""Recovery runs of toy language models: what a perfect client would have observed of them."""

import string
from collections.abc import Callable, Iterator, Mapping

from harness.checks.kinds import Exact
from harness.draws import uniforms
from harness.plan import PromptsetRef
from harness.promptsets.rows import Row
from harness.recovery.measuring import BATCH_EVERY
from harness.recovery.observations import (
    Batch,
    Footprint,
    Generated,
    Observation,
    Position,
    Scored,
    Timed,
)
from harness.recovery.plan import ARMS, CANDIDATE, REFERENCE, RecoveryPlan, Side
from harness.recovery.policy import Policy
from tests.support.toy_language_model import END, ToyModel, text, tokens

LETTERS = string.ascii_letters + string.digits
MS = 1_000_000
TOP = 20
REFERENCE_MODEL = ToyModel()

Change = Callable[[Observation], Observation | None]


def toy_rows(count: int = 60) -> tuple[Row, ...]:
    """A right answer is exactly what the undamaged toy says."""
    return tuple(
        Row(
            prompt_id=f"toy-{letter}",
            prompt=f"Tell me about {letter}",
            max_tokens=8,
            category="toy",
            split="eval_holdout",
            checks=(
                Exact(
                    values=(text(REFERENCE_MODEL.greedy(tokens(f"about {letter}"), 8)) or "none",)
                ),
            ),
        )
        for letter in LETTERS[:count]
    )


def toy_plan(
    *, policy: Policy | None = None, timings: int = 0, one_model: bool = False
) -> RecoveryPlan:
    reference = Side(url="http://reference", model="toy")
    return RecoveryPlan(
        run_id="recovery-1",
        created="2026-01-01T00:00:00+00:00",
        harness_version="0",
        promptset=PromptsetRef(name="toy", version=1, sha256="0" * 64),
        reference=reference,
        candidate=reference if one_model else Side(url="http://candidate", model="toy"),
        policy=policy or Policy(),
        timings=timings,
    )


def toy_observations(
    plan: RecoveryPlan,
    rows: tuple[Row, ...],
    models: Mapping[str, ToyModel] | None = None,
    change: Change | None = None,
    slower: float = 1.0,
) -> list[Observation]:
    """`models` by arm, the reference where none is named; `slower` stretches the candidate."""
    everything = _all(plan, rows, models or {}, slower)
    if change is None:
        return list(everything)
    return [changed for one in everything if (changed := change(one)) is not None]


def _all(
    plan: RecoveryPlan, rows: tuple[Row, ...], models: Mapping[str, ToyModel], slower: float
) -> Iterator[Observation]:
    for arm in ARMS:
        model = models.get(arm, REFERENCE_MODEL)
        for row in rows:
            yield generated(arm, row, model)
            yield scored(arm, row, model, models.get(REFERENCE, REFERENCE_MODEL))
        stretch = slower if arm == CANDIDATE else 1.0
        noise = uniforms(7, arm)
        for turn in range(plan.timings):
            wobble = 1 + 0.1 * noise(turn)
            yield Timed(
                arm=arm,
                turn=turn,
                first_ns=int(20 * MS * stretch * wobble),
                whole_ns=int(330 * MS * stretch * wobble),
                tokens=32,
            )
            if turn % BATCH_EVERY == 0:
                yield Batch(arm=arm, turn=turn, ns=int(400 * MS * stretch * wobble), tokens=128)
        yield Footprint(arm=arm, kv_cache_bytes=1024)


def generated(arm: str, row: Row, model: ToyModel) -> Generated:
    prompt = tokens(row.question)
    said = model.greedy(prompt, row.max_tokens)
    return Generated(
        arm=arm,
        prompt_id=row.prompt_id,
        output=text(said),
        prompt_ids=tuple(prompt),
        token_ids=tuple(said),
        finish_reason="stop" if said[-1] == END else "length",
    )


def scored(arm: str, row: Row, model: ToyModel, reference: ToyModel) -> Scored:
    prompt = tokens(row.question)
    given = reference.greedy(prompt, row.max_tokens)
    return Scored(
        arm=arm,
        prompt_id=row.prompt_id,
        positions=tuple(position(model, last) for last in [prompt[-1], *given[:-1]]),
    )


def position(model: ToyModel, last: int) -> Position:
    row = model.logprobs[last]
    order = (-row).argsort(kind="stable")[:TOP].tolist()
    return Position(
        ids=tuple(order),
        logprobs=tuple(float(row[token]) for token in order),
        ranks=tuple(range(1, TOP + 1)),
    )
