"""What the Lambda functions import is small."""

import subprocess
import sys

HEAVY = {"altair", "click", "httpx", "jinja2", "numpy", "pandas", "rich", "scipy", "tokenizers"}
PROGRAM = "import sys; import harness.lambda_handler; {}; print(*sys.modules)"


def loaded(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_handlers_import_nothing_that_plots_computes_or_draws_terminals() -> None:
    assert not loaded("pass") & HEAVY


def test_nor_do_they_when_they_merge_and_open_s3() -> None:
    statement = "import harness.figures, harness.findings, harness.s3"
    assert not loaded(statement) & HEAVY
