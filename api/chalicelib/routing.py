"""Which variant answers: pure functions over weights.

Weighted rendezvous hashing (Thaler and Ravishankar 1998; logarithmic weights after Schindelhauer
and Schomaker 2005): each variant draws a number from (salt, unit, variant) and the best score wins.
So a unit stays where it is, in every process, until weights change, and then only the units move
that have to: from 80/20 to 70/30, ten of a hundred.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from chalicelib.config import Team, Variant
from chalicelib.errors import GatewayError

_SCALE = 2.0**-64


class Choice(NamedTuple):
    """A variant, and why it."""

    variant: Variant
    reason: Literal["split", "pinned"]


def draw(salt: str, unit: str, variant: str) -> float:
    """A uniform number in (0, 1), the same everywhere for the same three words."""
    digest = hmac.digest(salt.encode(), f"{unit}\0{variant}".encode(), "sha256")
    return (int.from_bytes(digest[:8], "big") + 0.5) * _SCALE


def score(weight: float, drawn: float) -> float:
    """The larger wins; a variant of weight 0 never does."""
    return weight / -math.log(drawn) if weight > 0 else 0.0


def scores(team: Team, weights: Mapping[str, int], unit: str) -> dict[str, float]:
    return {
        name: score(weights.get(name, 0), draw(team.salt, unit, name)) for name in team.variants
    }


def choose(team: Team, weights: Mapping[str, int], unit: str, *, pin: str | None = None) -> Choice:
    """The variant that answers `unit`, or the one it asked for.

    Raises:
        GatewayError: `unknown_variant`.
    """
    if pin is not None:
        if pin not in team.variants:
            raise unknown_variant(team.name, team.variants)
        return Choice(variant=team.variants[pin], reason="pinned")
    ranked = scores(team, weights, unit)
    return Choice(variant=team.variants[max(ranked, key=ranked.__getitem__)], reason="split")


def version(team: Team, weights: Mapping[str, int]) -> str:
    """A short hash of all that decides where a unit goes: the same weights, the same version."""
    return _version(team, tuple(weights.get(name, 0) for name in team.variants))


@lru_cache(maxsize=256)
def _version(team: Team, weights: tuple[int, ...]) -> str:
    in_force = {
        "team": team.name,
        "salt": team.salt,
        "variants": {
            variant.name: [weight, variant.model, [target.name for target in variant.targets]]
            for variant, weight in zip(team.variants.values(), weights, strict=True)
        },
    }
    canonical = json.dumps(in_force, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def unknown_variant(team: str, known: Iterable[str]) -> GatewayError:
    return GatewayError(
        "unknown_variant",
        f"Team {team!r} has no such variant. It has: {', '.join(sorted(known))}.",
        param="variant",
    )
