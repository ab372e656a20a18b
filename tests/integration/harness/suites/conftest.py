"""The gateway as it ships, in front of engines that answer what the tiny models would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from chalicelib.backends.fake import Behaviour
from harness.promptsets import store
from tests.integration.conftest import ENDPOINTS, ENGINES, Stack, stack
from tests.support.local_aws import API, ENGINE_KEY, LocalAws
from tests.support.scripted_judge import BAD, GOOD

JUDGE: Final = "mistral-7b-judge"
REFERENCES: Final = {row.question: row.reference or "" for row in store.load("tiny").rows}


def answered(prompt: str) -> str:
    return REFERENCES.get(prompt, "4" if "2+2" in prompt else "It depends.")


def judged(prompt: str) -> str:
    return json.dumps(GOOD if 'RESPONSE "4"' in prompt else BAD)


@pytest.fixture(scope="module")
def well(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nobody makes it ill: `/ready` remembers for 10 seconds, into the next test."""
    with _platform(aws, tmp_path_factory.mktemp("well")) as running:
        yield running


@pytest.fixture(scope="module")
def _fragile(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with _platform(aws, tmp_path_factory.mktemp("fragile")) as running:
        yield running


@pytest.fixture
def ill(_fragile: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """To be made ill by a test; well again after it, but for what `/ready` remembers."""
    monkeypatch.setenv("LLMO_API_KEY", _fragile.key())
    yield _fragile
    _fragile.heal()


@contextmanager
def _platform(aws: LocalAws, folder: Path) -> Iterator[Stack]:
    healthy = {
        name: Behaviour(
            models=models,
            api_key=f"{ENGINE_KEY}-{name}",
            answer=judged if name == JUDGE else answered,
        )
        for name, models in ENGINES.items()
    }
    env = {"GATEWAY_CONFIG": str(_without_breaker(folder))}
    with stack(aws, healthy, ENDPOINTS, env, folder) as running:
        yield running


def _without_breaker(folder: Path) -> Path:
    """The configuration as it ships, but that a target which one test makes ill is not left alone
    in the next one.
    """
    shipped = (API / "chalicelib" / "gateway.toml").read_text("utf-8")
    changed = shipped.replace("min_calls = 5 ", "min_calls = 1000 ")
    assert changed != shipped
    path = folder / "gateway.toml"
    path.write_text(changed, "utf-8")
    return path
