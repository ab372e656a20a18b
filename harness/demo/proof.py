"""What must hold of everything the demo shows. A demo that can't fail proves nothing."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.demo.asking import Exchange
from harness.demo.questions import Judged

CONTRACT_HEADERS: Final = (
    "X-Correlation-ID",
    "X-Route-Team",
    "X-Route-Variant",
    "X-Route-Target",
    "X-Route-Version",
    "X-Latency-Ms",
)
COVERAGE: Final = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often a variant was chosen, and how often its weight lets expect."""

    variant: str
    weight: float
    """Per cent."""
    count: int
    least: int
    most: int

    @property
    def holds(self) -> bool:
        return self.least <= self.count <= self.most


def problems(exchange: Exchange) -> list[str]:
    """What is wrong with an answer; nothing, if all is well."""
    what = f"{exchange.question.path} ({exchange.correlation_id})"
    if exchange.status != 200:  # noqa: PLR2004
        error = exchange.document.get("error") or {}
        return [f"{what}: {exchange.status} {error.get('code')}: {error.get('message')}"]
    found = [
        f"{what}: the response has no {name}"
        for name in CONTRACT_HEADERS
        if not exchange.headers.get(name.lower())
    ]
    echoed = exchange.headers.get("x-correlation-id")
    if echoed and echoed != exchange.correlation_id:
        found.append(f"{what}: the correlation id came back as {echoed!r}")
    pinned = exchange.question.body.get("variant")
    variant = exchange.headers.get("x-route-variant")
    if pinned and variant != pinned:
        found.append(f"{what}: pinned to {pinned}, answered by {variant}")
    if exchange.question.contains not in exchange.answer:
        found.append(f"{what}: no {exchange.question.contains!r} in {exchange.answer!r}")
    return found


def alike(exchanges: Iterable[Exchange]) -> list[str]:
    """Variants of one team, pinned and asked the same, must not say the same."""
    answered = Counter(
        (exchange.question.path, exchange.answer)
        for exchange in exchanges
        if "variant" in exchange.question.body and exchange.answer
    )
    return [
        f"{path}: {count} variants answer alike: {answer!r}"
        for (path, answer), count in answered.items()
        if count > 1
    ]


def judgement(judged: Judged, exchange: Exchange) -> list[str]:
    found = problems(exchange)
    if not found and exchange.document.get("passed") is not judged.good:
        verb = "fails" if judged.good else "passes"
        found.append(f"the judge {verb} the answer {judged.response!r} to 2+2")
    return found


def shares(counts: Mapping[str, int], weights: Mapping[str, float]) -> list[Share]:
    total = sum(counts.values())
    ranges = {name: binomial_range(total, weight / 100) for name, weight in weights.items()}
    return [
        Share(
            variant=name,
            weight=weight,
            count=counts.get(name, 0),
            least=ranges[name][0],
            most=ranges[name][1],
        )
        for name, weight in weights.items()
    ]


def split_problems(counts: Mapping[str, int], found: list[Share]) -> list[str]:
    strangers = sorted(counts.keys() - {share.variant for share in found})
    return [
        f"{share.variant} answered {share.count} times; its weight of {share.weight:g} % "
        f"lets expect {share.least} to {share.most}"
        for share in found
        if not share.holds
    ] + [f"{name} answered and is not in the split" for name in strangers]


def binomial_range(trials: int, chance: float, coverage: float = COVERAGE) -> tuple[int, int]:
    """Where the count of successes lies, but for (1 - coverage) / 2 of all times on either side."""
    tail = (1 - coverage) / 2
    likelihood = [_likelihood(count, trials, chance) for count in range(trials + 1)]
    return _first_beyond(likelihood, tail), trials - _first_beyond(likelihood[::-1], tail)


def _likelihood(count: int, trials: int, chance: float) -> float:
    """By logarithms: the number of ways alone is beyond a float from about 1,030 trials on."""
    if chance in (0, 1):
        return float(count == trials * chance)
    ways = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return math.exp(ways + count * math.log(chance) + (trials - count) * math.log1p(-chance))


def _first_beyond(likelihood: list[float], tail: float) -> int:
    total = 0.0
    for count, one in enumerate(likelihood):
        total += one
        if total > tail:
            return count
    return len(likelihood) - 1
