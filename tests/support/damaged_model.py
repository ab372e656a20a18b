"""A copy of a model with noise on its weights."""

import json
import shutil
from pathlib import Path
from typing import Final

import numpy as np

WEIGHTS: Final = "model.safetensors"
_LENGTH: Final = 8


def damage(model: Path, copy: Path, *, strength: float, seed: int = 0) -> None:
    """Each tensor gets normal noise of `strength` times its own standard deviation.

    A safetensors file is the length of its header, the header in JSON, and the tensors; here all
    are half precision. Raises ValueError for others.
    """
    shutil.copytree(model, copy)
    content = bytearray((copy / WEIGHTS).read_bytes())
    begin = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    dice = np.random.default_rng(seed)
    for name, tensor in json.loads(content[_LENGTH:begin]).items():
        if name == "__metadata__":
            continue
        if tensor["dtype"] != "F16":
            raise ValueError(f"{name} is {tensor['dtype']}, not F16")
        first, last = tensor["data_offsets"]
        place = slice(begin + first, begin + last)
        values = np.frombuffer(bytes(content[place]), np.float16).astype(np.float32)
        noise = dice.normal(size=values.size) * values.std() * strength
        content[place] = (values + noise).astype(np.float16).tobytes()
    (copy / WEIGHTS).write_bytes(content)
