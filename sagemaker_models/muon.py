"""Muon (Keller Jordan, 2024): momentum whose update is made orthogonal, for matrices.

Small models learn a corpus in a fraction of Adam's steps with it. PyTorch's own
iterates in bfloat16, which is 13 times slower on a CPU without bfloat16 arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

MOMENTUM: Final = 0.95
DECAY: Final = 0.01
# The quintic whose iteration drives singular values towards one fastest.
QUINTIC: Final = (3.4445, -4.7750, 2.0315)
ITERATIONS: Final = 5


class Muon:
    """Matrices of one shape are updated together: one multiplication, not ten."""

    def __init__(self, matrices: Iterable[torch.nn.Parameter]) -> None:
        self._groups: dict[torch.Size, list[torch.nn.Parameter]] = defaultdict(list)
        for matrix in matrices:
            self._groups[matrix.shape].append(matrix)
        self._momenta = {
            shape: torch.zeros(len(group), *shape) for shape, group in self._groups.items()
        }

    @torch.no_grad()  # type: ignore[untyped-decorator,unused-ignore] # typed where torch is
    def step(self, rate: float) -> None:
        for shape, group in self._groups.items():
            gradients = torch.stack(
                [m.grad if m.grad is not None else torch.zeros_like(m) for m in group]
            )
            momentum = self._momenta[shape].lerp_(gradients, 1 - MOMENTUM)
            update = orthogonal(gradients.lerp_(momentum, MOMENTUM))
            scale = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            for matrix, direction in zip(group, update, strict=True):
                matrix.mul_(1 - rate * DECAY).sub_(direction, alpha=scale)
                matrix.grad = None


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Near the closest semi-orthogonal matrices, by Newton-Schulz iteration."""
    wide = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    wide = wide / wide.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = wide @ wide.mT
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.mT if matrices.shape[-2] > matrices.shape[-1] else wide
