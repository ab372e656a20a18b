"""Log-probabilities in vLLM's two shapes, from a made-up but proper distribution.

The token said and the other candidates get probabilities that halve from one to the next and
sum to 1; under a restricted choice the candidates are exactly the allowed texts.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import log
from typing import Any, Final
from zlib import crc32

from chalicelib.backends.fake.text import END, WORDS

_VOCABULARY: Final = 32_000
_IMPOSSIBLE: Final = -9999.0  # vLLM's value for a token that the grammar forbids


def token_id(token: str) -> int:
    return crc32(token.encode()) % _VOCABULARY


def ranked(token: str, count: int, choices: Sequence[str]) -> list[tuple[str, float]]:
    """`token` and its best alternatives, `max(count, 1)` in all."""
    is_end = token == END
    pool = () if is_end else choices or WORDS
    candidates = [token, *(other for other in pool if other != token)]
    rest = WORDS if is_end else (END,)
    total = 2 - 2.0 ** (1 - len(candidates))
    probable = [(text, log(2.0**-rank / total)) for rank, text in enumerate(candidates)]
    return [*probable, *((text, _IMPOSSIBLE) for text in rest)][: max(count, 1)]


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def chat_logprobs(tokens: Sequence[str], count: int, choices: Sequence[str]) -> dict[str, Any]:
    content = []
    for token in tokens:
        best = ranked(token, count, choices)
        top = [_entry(*one) for one in best[:count]]
        content.append({**_entry(*best[0]), "top_logprobs": top})
    return {"content": content}


def completion_logprobs(
    tokens: Sequence[str], count: int, choices: Sequence[str], offset: int = 0
) -> dict[str, Any]:
    best = [ranked(token, count, choices) for token in tokens]
    lengths = [offset, *(len(token) for token in tokens)]
    return {
        "text_offset": list(accumulate(lengths))[: len(tokens)],
        "token_logprobs": [one[0][1] for one in best],
        "tokens": list(tokens),
        "top_logprobs": [dict(one) for one in best],
    }


def prompt_logprobs(
    tokens: Sequence[str], count: int
) -> list[Mapping[str, Mapping[str, Any]] | None]:
    """One entry a prompt token; the first has nothing before it, so none."""
    return [
        None,
        *(
            {
                str(token_id(text)): {"logprob": logprob, "rank": rank, "decoded_token": text}
                for rank, (text, logprob) in enumerate(ranked(token, count, ()), start=1)
            }
            for token in tokens[1:]
        ),
    ]


def token_ids(tokens: Sequence[str]) -> list[int]:
    return [token_id(token) for token in tokens]
