"""The toy tokenizer, and where a generation ends."""

import pytest

from chalicelib.backends.fake.text import Limits, generate, tokenize


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("one two three", Limits(max_tokens=9, stop=["two"]), ("one ", "stop", "two", 2)),
        (
            "one two three",
            Limits(max_tokens=9, stop=["x", "two"], include_stop=True),
            ("one two", "stop", "two", 2),
        ),
        ("one two", Limits(max_tokens=1, stop=["two"]), ("one", "length", None, 1)),
        ("", Limits(max_tokens=5), ("", "stop", None, 1)),
        ("a", Limits(max_tokens=5, min_tokens=3), ("aaa", "stop", None, 4)),
    ],
)
def test_generation_ends_where_its_limits_say(
    text: str, limits: Limits, expected: tuple[str, str, str | None, int]
) -> None:
    made = generate(text, limits)
    assert (made.text, made.finish_reason, made.stop_reason, len(made.tokens)) == expected
    assert len(made.pieces) == len(made.tokens)


def test_tokens_add_up_to_the_text() -> None:
    text = "  Grüße, a-very-long-word\n\tand an end \n"
    assert "".join(tokenize(text)) == text
