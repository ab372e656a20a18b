"""Who may import whom, read from the source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
OURS: Final = frozenset({"app", "cdk", "chalicelib", "gpu_fleet", "sagemaker_models", "harness"})


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    return [path for path in found if not {"vendor", "node_modules"} & set(path.parts)]


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def breaches(folder: str, forbidden: frozenset[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(folder)
        for name in sorted(roots(path) & forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("api/chalicelib", OURS - {"chalicelib"} | {"aws_cdk", "boto3", "botocore"}),
        ("gpu_fleet", OURS - {"gpu_fleet"} | {"aws_cdk", "boto3", "botocore"}),
        ("sagemaker_models", OURS - {"sagemaker_models", "gpu_fleet"}),
        ("harness", OURS - {"harness"}),
        ("cdk", OURS - {"cdk", "gpu_fleet", "sagemaker_models"}),
    ],
)
def test_a_part_imports_only_what_it_may(folder: str, forbidden: frozenset[str]) -> None:
    assert breaches(folder, frozenset(forbidden) | {"tests"}) == []


def test_nothing_imports_the_tests() -> None:
    for folder in ("api", "gpu_fleet", "sagemaker_models", "harness", "cdk"):
        assert breaches(folder, frozenset({"tests"})) == []


def test_chalice_is_imported_at_the_edge_only() -> None:
    users = {
        path.relative_to(ROOT / "api").as_posix()
        for path in sources("api")
        if "chalice" in roots(path)
    }
    assert {user for user in users if not user.startswith("chalicelib/routes/")} == {
        "app.py",
        "local_server.py",
    }


def test_the_lambda_imports_nothing_that_does_not_ship() -> None:
    """The fakes are tools; the rest needs what `dependencies` and Chalice bring."""
    shipped = {"aws_lambda_powertools", "opentelemetry", "chalice", "chalicelib"}
    for path in sources("api/chalicelib"):
        if "fake" not in path.parts:
            foreign = roots(path) - sys.stdlib_module_names - shipped
            assert not foreign, f"{path} imports {foreign}"


def test_the_core_reaches_the_fakes_from_nowhere() -> None:
    for path in sources("api"):
        if "fake" not in path.parts:
            assert not [n for n in imported(path) if n.startswith("chalicelib.backends.fake")]


def test_below_the_routes_nothing_knows_them() -> None:
    for path in sources("api/chalicelib"):
        if "routes" not in path.parts:
            assert not [name for name in imported(path) if name.startswith("chalicelib.routes")]
