"""Teams and targets as a test needs them."""

from collections.abc import Mapping, Sequence

from chalicelib.config import Target, Team, Variant


def target(name: str) -> Target:
    backend, _, place = name.partition(":")
    return Target(name=name, backend=backend, place=place)


def variant(name: str, *targets: str, weight: int = 0, model: str | None = None) -> Variant:
    return Variant(
        name=name,
        model=model or f"model-{name}",
        weight=weight,
        targets=tuple(map(target, targets or ("vllm:one",))),
    )


def team(
    weights: Mapping[str, int],
    *,
    salt: str = "salt",
    targets: Sequence[str] = ("vllm:one",),
    timeout_s: float = 10,
    attempt_timeout_s: float = 5,
    max_attempts: int = 2,
    cross_variant_fallback: bool = False,
) -> Team:
    return Team(
        name="team",
        timeout_s=timeout_s,
        attempt_timeout_s=attempt_timeout_s,
        max_attempts=max_attempts,
        cross_variant_fallback=cross_variant_fallback,
        shared=False,
        salt=salt,
        variants={name: variant(name, *targets, weight=weight) for name, weight in weights.items()},
    )
