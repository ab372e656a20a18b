"""How many tokens a prompt is to the model that is served, its chat template included."""

import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from harness.errors import PromptsetError
from harness.promptsets.manifest import TokenStatistics, digest
from harness.promptsets.rows import Row

TOKENIZER: Final = "tokenizer.json"
TEMPLATE: Final = "chat_template.jinja"
_SPECIAL: Final = {"bos_token": "<s>", "eos_token": "</s>"}


class Counter:
    """Counts with `tokenizer.json` and `chat_template.jinja` of a model's folder.

    Raises PromptsetError where they are not there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            tokenizer, template = ((folder / name).read_bytes() for name in (TOKENIZER, TEMPLATE))
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
        except OSError as error:
            raise PromptsetError(
                f"{error.filename}: {error.strerror}; make the models (`make models`), or name a"
                f" folder with {TOKENIZER} and {TEMPLATE} of the model that is served"
            ) from None
        except Exception as error:  # noqa: BLE001  (the library raises nothing narrower)
            raise PromptsetError(f"{folder / TOKENIZER}: {error}") from None
        self.name: Final = folder.name
        self.sha256: Final = digest(tokenizer + template)
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template: Final = environment.from_string(template.decode())

    def count(self, row: Row) -> int:
        text = self._template.render(
            messages=msgspec.to_builtins(row.turns), add_generation_prompt=True, **_SPECIAL
        )
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def statistics(self, rows: Iterable[Row]) -> TokenStatistics | None:
        """Over the rows that have a prompt; None where none has."""
        asked = [row for row in rows if row.turns]
        return measured(asked, self.count, self.name, self.sha256) if asked else None


def measured(
    rows: list[Row], count: Callable[[Row], int], name: str, sha256: str
) -> TokenStatistics:
    sizes = [count(row) for row in rows]
    levels = (
        statistics.quantiles(sizes, n=100, method="inclusive") if len(sizes) > 1 else sizes * 99
    )
    return TokenStatistics(
        tokenizer=name,
        tokenizer_sha256=sha256,
        min=min(sizes),
        p50=round(levels[49]),
        p95=round(levels[94]),
        max=max(sizes),
        total=sum(sizes),
        max_with_answer=max(size + row.max_tokens for size, row in zip(sizes, rows, strict=True)),
    )
