from pathlib import Path

from harness.reference import reference

DOCS = Path(__file__).parents[3] / "docs/cli.md"


def test_the_docs_say_what_help_says() -> None:
    assert DOCS.read_text("utf-8") == reference(), "run 'make docs'"
