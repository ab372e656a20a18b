"""A function that nobody gave a role: Chalice makes one of a schedule, and it must not deploy."""

from pathlib import Path

from cdk.platform import WRONG_INPUT
from tests.support import checkout
from tests.support.synth import run_app

SCHEDULE = """

@app.schedule("rate(1 hour)")
def sweep(event: object) -> None:
    pass
"""


def test_a_function_without_a_role_is_refused_by_name(tmp_path: Path) -> None:
    root = checkout.copy(tmp_path / "checkout")
    with (root / "api/app.py").open("a", encoding="utf-8") as file:
        file.write(SCHEDULE)
    done = run_app(tmp_path / "out", "stage=dev", root=root)
    assert (done.returncode, done.stdout) == (WRONG_INPUT, "")
    assert done.stderr == (
        "error: api/app.py: Chalice makes a function Sweep of it, which has neither role nor "
        "shape in cdk/constructs/api/functions.py; there are: APIHandler, KeysAuthorizer, "
        "KeyExpiry\n"
    )
