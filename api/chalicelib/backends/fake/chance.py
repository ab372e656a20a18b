"""Deterministic dice: the same parts always fall the same way, on every machine."""

from hashlib import blake2b


def roll(*parts: object) -> bytes:
    """64 bytes that depend on nothing but `parts`."""
    return blake2b("\x1f".join(map(str, parts)).encode()).digest()


def chance(*parts: object) -> float:
    """Uniform in [0, 1)."""
    return int.from_bytes(roll(*parts)[:6]) / 2**48
