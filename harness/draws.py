"""Randomness by counter: draw `i` of a stream is a pure function of seed, stream and `i`.

Nothing is carried from one draw to the next, so any shard computes request `i` without the others.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

_SCALE: Final = 2.0**-53


def words(seed: int, stream: str) -> Callable[[int], int]:
    """`i` -> 64 random bits, for a stream of its own name."""
    keyed = blake2b(
        digest_size=8,
        key=(seed & (2**64 - 1)).to_bytes(8, "little"),
        person=blake2b(stream.encode(), digest_size=16).digest(),
    )

    def draw(index: int) -> int:
        one = keyed.copy()
        one.update(index.to_bytes(8, "little"))
        return int.from_bytes(one.digest(), "little")

    return draw


def uniforms(seed: int, stream: str) -> Callable[[int], float]:
    """`i` -> a number in [0, 1)."""
    draw = words(seed, stream)
    return lambda index: (draw(index) >> 11) * _SCALE


def permutation(seed: int, stream: str, size: int) -> list[int]:
    """The numbers below `size`, shuffled: ordered by their draws."""
    draw = words(seed, stream)
    return sorted(range(size), key=lambda index: (draw(index), index))
