"""The whole platform with real engines, brought up once for all tests here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from harness.local import background
from harness.local.layout import Layout
from harness.local.state import running
from tests.e2e.platform import Platform

HERE: Final = Path(__file__).parent
LAST: Final = "test_shutdown.py"
TIMEOUT_S: Final = 900
"""The first test of all waits for the engines."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quick to fail comes first, these tests after all others, the platform's end last."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))
    items.sort(key=lambda item: (item.path.parent == HERE, item.path.name == LAST))


@pytest.fixture(scope="session")
def layout() -> Layout:
    return Layout.of_repository()


@pytest.fixture(scope="session")
def platform(layout: Layout, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """Somebody else's stack, where one is up already: it is used, and left running."""
    already_up = running(layout.state) is not None
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")

    def show(line: str) -> None:
        if terminal is not None:
            terminal.write_line(line)

    show("")
    with (
        background.borrowed(layout, show) as state,
        httpx.Client(base_url=state.gateway_url, timeout=90, trust_env=False) as gateway,
    ):
        yield Platform(state=state, gateway=gateway, already_up=already_up)
