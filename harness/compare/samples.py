"""Whose answers an A/B report compares: two arms' in pairs, or two variants' that a split chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.compare.pairing import Pairs
from harness.compare.sides import Run, Side
from harness.errors import WrongInput
from harness.load.items import Items
from harness.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """In the order of their ends, as somebody who watches sees them."""

    names: tuple[str, str]
    reference: tuple[Record, ...]
    candidate: tuple[Record, ...]
    paired: bool
    prompts: tuple[str, ...]
    """Those that nobody will be asked again, in the order in which that was so."""
    unattributed: tuple[Record, ...] = ()
    """Those whose answer, or want of one, names no variant."""
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Requests by variant, others too."""
        sizes = (len(self.reference), len(self.candidate))
        return {**dict(zip(self.names, sizes, strict=True)), **self.others}


def samples_of(run: Run, names: Sequence[str], split: Mapping[str, float]) -> Samples:
    """`names`: reference and candidate. Where none is given: the arms, the variants of the split,
    or the two that were asked most.

    Raises WrongInput where there are no two variants.
    """
    if len(run.plan.arms) > 1:
        return _arms(run)
    return _variants(run, names, split)


def _arms(run: Run) -> Samples:
    reference, candidate = (Side(run=run, arm=arm, label=arm.name) for arm in run.plan.arms)
    pairs = sorted(
        Pairs.of(reference, candidate).pairs,
        key=lambda pair: max(pair.reference.end_ns, pair.candidate.end_ns),
    )
    return Samples(
        names=(reference.label, candidate.label),
        reference=tuple(pair.reference for pair in pairs),
        candidate=tuple(pair.candidate for pair in pairs),
        paired=True,
        prompts=_over(run),
    )


def _variants(run: Run, names: Sequence[str], split: Mapping[str, float]) -> Samples:
    records = sorted(run.measured(run.plan.arms[0].name), key=lambda record: record.end_ns)
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.variant, []).append(record)
    unattributed = tuple(groups.pop("", ()))
    chosen = (
        tuple(names) or tuple(split) or tuple(sorted(groups, key=lambda n: -len(groups[n])))[:2]
    )
    if len(set(chosen)) != 2:  # noqa: PLR2004
        raise WrongInput(
            f"{run.path} was answered by {', '.join(sorted(groups)) or 'no named variant'}: an A/B "
            "report takes two variants of one team, asked through the gateway; name them with "
            "--variants REFERENCE CANDIDATE"
        )
    if missing := [name for name in chosen if name not in groups]:
        raise WrongInput(
            f"no request of {run.path} was answered by {' or '.join(missing)}, only by "
            f"{', '.join(sorted(groups)) or 'variants without a name'}"
        )
    return Samples(
        names=(chosen[0], chosen[1]),
        reference=tuple(groups[chosen[0]]),
        candidate=tuple(groups[chosen[1]]),
        paired=False,
        prompts=_over(run),
        unattributed=unattributed,
        others={name: len(of) for name, of in sorted(groups.items()) if name not in chosen},
    )


def _over(run: Run) -> tuple[str, ...]:
    """What a prompt's repeats say together is taken once all of them are there: a figure that was
    watched and changed afterwards would void the interval.
    """
    last: dict[str, None] = {}
    for record in sorted(run.records, key=lambda record: record.end_ns):
        last.pop(record.prompt_id, None)
        last[record.prompt_id] = None
    if run.over:
        return tuple(last)
    items = Items(run.plan, tuple(run.rows.values()))
    if items.planned is None:  # nobody knows what is to come
        return ()
    recorded = {record.index for record in run.records}
    missing = {
        items.item(index).row.prompt_id for index in range(items.planned) if index not in recorded
    }
    return tuple(prompt for prompt in last if prompt not in missing)
