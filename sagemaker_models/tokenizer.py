"""A byte-level BPE tokenizer trained on the corpus, in Mistral's shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHAT_TEMPLATE: Final = Path(__file__).with_name("chat_template.jinja")
SPECIAL: Final = ("<unk>", "<s>", "</s>", "[INST]", "[/INST]")
# Numbers and words are whole, and every punctuation mark is a token of its own:
# a number then looks the same in a question, in a sentence and inside JSON.
PIECES: Final = r"\p{N}{1,3}| ?\p{L}+|[^\s\p{L}\p{N}]|\s"


WORDS: Final = r"\p{N}{1,3}|\p{L}+|[^\s\p{L}\p{N}]"


def train_tokenizer(
    texts: Iterable[str], vocabulary: int, phrases: Sequence[str], *, white_space: bool = True
) -> Any:  # noqa: ANN401 - untyped library
    """Phrases are kept whole, one token each: the fixed words of a protocol cost nothing.

    Without `white_space` a word is the same token at the start of a line and within it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *([] if white_space else [pre_tokenizers.Split(Regex(r"\s+"), "removed")]),
            pre_tokenizers.Split(Regex(PIECES if white_space else WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(phrases),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", SPECIAL.index("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",  # noqa: S106 - a token of text
        eos_token="</s>",  # noqa: S106 - a token of text
        unk_token="<unk>",  # noqa: S106 - a token of text
        pad_token="</s>",  # noqa: S106 - a token of text
        chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"),
    )
