"""The split that a gateway declares, as it is said on the command line."""

from collections.abc import Sequence

from harness.errors import WrongInput


def declared(split: Sequence[str]) -> dict[str, float]:
    """`("lora-v1=80", "lora-v2=20")` -> weights by variant. Raises WrongInput."""
    weights: dict[str, float] = {}
    for one in split:
        name, _, weight = one.partition("=")
        try:
            weights[name] = float(weight)
        except ValueError:
            raise WrongInput(f"--split {one}: it is like lora-v1=80") from None
        if not 0 <= weights[name] < float("inf"):
            raise WrongInput(f"--split {one}: a weight is 0 or more")
    if weights and not sum(weights.values()):
        raise WrongInput("--split: one weight at least is above 0")
    return weights
