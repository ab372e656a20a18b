"""What importing the Lambda does: as good as nothing, because a snapshot would freeze it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

API = Path(__file__).parents[2] / "api"
LOOK = """
import json, socket, sys

class Refusing(socket.socket):
    def __init__(self, *arguments, **named):
        raise AssertionError("a socket at import")

socket.socket = Refusing
import app
from functools import cached_property
from chalicelib.gateway import Gateway

parts = {name for name, part in vars(Gateway).items() if isinstance(part, cached_property)}
print(json.dumps({
    "parts": sorted(parts),
    "made": sorted(parts & set(vars(app.gateway))),
    "modules": sorted(sys.modules),
}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=API,  # the repository's root has an `app` of its own, CDK's
        env={"PYTHONPATH": str(API)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_part_is_made_before_a_request_needs_it(imported: dict[str, Any]) -> None:
    assert {"connections", "aws", "telemetry", "settings"} <= set(imported["parts"])
    assert imported["made"] == []


@pytest.mark.parametrize(
    "heavy",
    [
        "boto3",
        "botocore.session",  # Powertools looks at botocore's own name, and no further
        "pydantic",
        "aws_xray_sdk",
        "urllib3",
        "aiohttp",
        "httpx",
        "opentelemetry.sdk",
    ],
)
def test_nothing_heavy_is_imported(imported: dict[str, Any], heavy: str) -> None:
    assert heavy not in imported["modules"]
