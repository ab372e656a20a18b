"""A language model of one matrix behind vLLM's contract: its distributions are known exactly.

The next token hangs on the last one alone. Answers end with the token END, or by themselves never.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.http_server import Answered, Asked, serving

VOCABULARY = 64
END = 0
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789xy"


@dataclass(frozen=True)
class ToyModel:
    """`noise` is added to every logit, drawn from `seed`."""

    noise: float = 0.0
    seed: int = 1
    sharpness: float = 3.0
    gibberish: bool = False
    """Says so much on the wire that no check passes, whatever its distributions are."""

    @cached_property
    def logprobs(self) -> NDArray[np.float64]:
        """Row: the last token; column: the next."""
        logits = np.random.default_rng(0).normal(size=(VOCABULARY, VOCABULARY)) * self.sharpness
        logits += np.random.default_rng(self.seed).normal(size=logits.shape) * self.noise
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))

    def greedy(self, prompt: Sequence[int], most: int, *, to_the_end: bool = False) -> list[int]:
        table, said = self.logprobs, [prompt[-1]]
        while len(said) <= most:
            said.append(int(table[said[-1]].argmax()))
            if said[-1] == END and not to_the_end:
                break
        return said[1:]


def tokens(text: str) -> list[int]:
    return [1 + ord(character) % (VOCABULARY - 1) for character in text]


def text(ids: Sequence[int]) -> str:
    return "".join(CHARACTERS[one % len(CHARACTERS)] for one in ids if one != END)


@contextmanager
def toy_engine(
    model: ToyModel, change: Callable[[Asked, dict[str, Any]], Answered | None] | None = None
) -> Iterator[str]:
    """The address of an engine that serves `model`; `change` may answer in its place."""

    def answer(asked: Asked) -> Answered:
        if asked.path == "/metrics":
            return Answered(body=METRICS.encode(), headers={"Content-Type": "text/plain"})
        if asked.path == "/v1/models":
            return _json({"data": [{"id": "toy", "root": "toy"}]})
        body = json.loads(asked.body)
        changed = change(asked, body) if change else None
        return changed or _json(_COMPLETED[asked.path](model, body))

    with serving(answer) as url:
        yield url


METRICS = """# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 6.5e+08
vllm:cache_config_info{block_size="16",kv_cache_memory_bytes="134217728"} 1.0
"""


def _json(document: dict[str, Any]) -> Answered:
    return Answered(body=json.dumps(document).encode())


def _chat(model: ToyModel, body: dict[str, Any]) -> dict[str, Any]:
    prompt = tokens(body["messages"][-1]["content"])
    said = model.greedy(prompt, body["max_tokens"], to_the_end=body.get("ignore_eos", False))
    return {
        "model": "toy",
        "choices": [
            {
                "message": {"content": "?" if model.gibberish else text(said)},
                "finish_reason": "stop" if said[-1] == END else "length",
                "token_ids": said if body.get("return_token_ids") else None,
            }
        ],
        "prompt_token_ids": prompt if body.get("return_token_ids") else None,
        "usage": {"completion_tokens": len(said)},
    }


def _completion(model: ToyModel, body: dict[str, Any]) -> dict[str, Any]:
    prompt = body["prompt"] if isinstance(body["prompt"], list) else tokens(body["prompt"])
    return {
        "model": "toy",
        "choices": [
            {
                "text": "",
                "finish_reason": "length",
                "prompt_logprobs": [None, *_told(model, prompt, body["prompt_logprobs"])],
            }
        ],
    }


def _told(model: ToyModel, prompt: Sequence[int], top: int) -> Iterator[dict[str, Any]]:
    table = model.logprobs
    for last, given in pairwise(prompt):
        order = np.argsort(-table[last], kind="stable").tolist()
        named = dict.fromkeys([given, *order[:top]])
        yield {
            str(token): {"logprob": float(table[last, token]), "rank": order.index(token) + 1}
            for token in named
        }


_COMPLETED = {"/v1/chat/completions": _chat, "/v1/completions": _completion}
