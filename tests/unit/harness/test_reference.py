import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs/cli.md"


def test_the_docs_say_what_help_says() -> None:
    """In a process of its own, as `make docs` has it: click keeps what other tests asked for."""
    said = subprocess.run(
        [sys.executable, "-m", "harness.reference"], capture_output=True, check=True
    )

    assert DOCS.read_text("utf-8") == said.stdout.decode(), "run 'make docs'"
