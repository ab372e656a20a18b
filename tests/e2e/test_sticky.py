"""A session stays with its variant, whichever process answers."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from harness.demo.proof import binomial_range
from tests.e2e.platform import GREEDY, SUM, Platform, bearer
from tests.support.contract import check_ok

pytestmark = pytest.mark.engines

SESSIONS = [f"session-{number}" for number in range(40)]


def _variants(platform: Platform, gateway: httpx.Client) -> list[str]:
    headers = bearer(platform.state.keys["finetune"])
    found = []
    for session in SESSIONS:
        body = {"prompt": SUM, "session_id": session, **GREEDY}
        response = gateway.post("/api/finetune/predict", json=body, headers=headers)
        found.append(str(check_ok(response)["variant"]))
    return found


@pytest.fixture(scope="module")
def other_gateway(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A second process of the same gateway, with the environment of the first."""
    folder = tmp_path_factory.mktemp("gateway")
    first = platform.process("local_server.py")
    told, tell = os.pipe()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, first.cmdline()[1], "--url-file", f"/dev/fd/{tell}"],
            env=first.environ(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[tell],
        )
    os.close(tell)
    url = os.read(told, 100).decode()
    os.close(told)
    try:
        with httpx.Client(base_url=url, timeout=90, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def test_a_session_keeps_its_variant_across_processes(
    platform: Platform, other_gateway: httpx.Client
) -> None:
    here = _variants(platform, platform.gateway)
    there = _variants(platform, other_gateway)

    assert here == there
    counts = Counter(here)
    least, most = binomial_range(len(SESSIONS), 0.2)
    assert least <= counts["lora-v2"] <= most
    assert set(counts) == {"lora-v1", "lora-v2"}


def test_the_decision_can_be_explained_afterwards(platform: Platform) -> None:
    response = platform.predict("finetune", session_id="explain-me")
    chosen = check_ok(response)["variant"]

    explained = platform.gateway.get(
        "/ops/routes/finetune/explain",
        params={"unit": "explain-me", "route_version": response.headers["x-route-version"]},
        headers=bearer(platform.state.admin_key),
    )

    assert check_ok(explained)["variant"] == chosen
