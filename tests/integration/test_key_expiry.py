"""The scheduled function itself, as Lambda starts it, over a real table."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from chalicelib.gateway import Gateway
from chalicelib.key_expiry import METRIC
from tests.integration.conftest import BY_TESTS
from tests.support.local_aws import LocalAws

API: Final = Path(__file__).parents[2] / "api"
RUN: Final = """
import app

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

app.look_at_keys({
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-01T06:00:00Z",
    "region": "us-west-2",
    "resources": ["arn:aws:events:us-west-2:123456789012:rule/a-rule"],
    "detail": {},
}, Context())
"""


def run(env: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """How it ended, and the lines that it logged."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=API,
        env={**env, "PYTHONPATH": str(API), "STAGE": "test"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_it_tells_of_keys_that_end_soon_and_counts_them(aws: LocalAws) -> None:
    env = {**aws.env(), **aws.tables()}
    gateway = Gateway(env)
    with closing(gateway.connections):
        now = gateway.keys.clock()
        made = {
            name: gateway.keys.create(
                name=name, teams=("*",), scopes=("invoke",), expires_at=expires_at, by=BY_TESTS
            )
            for name, expires_at in {
                "soon": now + 86_400,
                "later": now + 1e7,
                "never": None,
            }.items()
        }
    status, (warned, counted) = run(env)
    assert status == 0
    stored, key = made["soon"]
    assert (warned["level"], warned["key_id"], warned["key_name"]) == ("WARNING", stored.id, "soon")
    assert stored.digest not in json.dumps(warned)
    assert str(key) not in json.dumps(warned)
    assert (counted[METRIC], counted["stage"]) == ([1.0], "test")


def test_without_its_table_it_fails_and_counts_nothing(aws: LocalAws) -> None:
    """As an error of the function, which an alarm is set on."""
    status, lines = run({**aws.env(), "KEYS_TABLE": "there-is-none"})
    assert status != 0
    assert lines == []
