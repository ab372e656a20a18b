"""Were requests split as they should have been?"""

import math
from collections.abc import Mapping


def split_p(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """p-value of: requests fall to each name by its weight; it may be watched.

    One over the largest evidence against it that a mixture of other splits gives now (Lindon and
    Malek, NeurIPS 2022, with a flat prior). A name of no weight must have no request: else 0.
    Raises ValueError where there is no weight, or a negative one.
    """
    total = math.fsum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        raise ValueError(f"these are no weights: {dict(weights)}")
    shares = {name: weight / total for name, weight in weights.items() if weight > 0}
    if any(count and name not in shares for name, count in counts.items()):
        return 0.0
    observed = {name: counts.get(name, 0) for name in shares}
    requests = sum(observed.values())
    mixture = (
        math.lgamma(len(shares))
        - math.lgamma(len(shares) + requests)
        + math.fsum(math.lgamma(1 + count) for count in observed.values())
    )
    declared = math.fsum(count * math.log(shares[name]) for name, count in observed.items())
    return math.exp(min(0.0, declared - mixture))
