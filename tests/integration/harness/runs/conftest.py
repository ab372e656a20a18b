"""An engine that answers rightly, and what every command here is given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from tests.support.harness_runs import KEY, promptset, said

RIGHT = Behaviour(answer="yes 4", time_to_first_token_s=0.002, api_key=KEY)


@pytest.fixture
def engine() -> Iterator[FakeServer]:
    with FakeServer(RIGHT) as server:
        yield server


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMO_API_KEY", KEY)


@pytest.fixture
def basics(tmp_path: Path) -> list[str]:
    """What every command here is given: a set, a forgiving plan, a place for runs."""
    return [
        "--promptset",
        str(promptset(tmp_path / "set")),
        "--plan",
        str(said([], tmp_path / "plan.toml")),
        "--output",
        str(tmp_path / "runs"),
        "--no-report",
    ]
