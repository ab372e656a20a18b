"""Code folders of functions: reproducible, complete, and made once."""

import marshal
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest

from cdk import assets
from cdk.assets import module_file, staged
from cdk.errors import WrongInput

CODE = "from helper import help_with\n\nWORDS = frozenset({'a', 'b', 'c'})\n"
MakeRoot = Callable[[str], Path]


@pytest.fixture
def make_root(tmp_path: Path) -> MakeRoot:
    """A checkout with our code and packages; every one has other times and permissions."""

    def make(name: str) -> Path:
        root = tmp_path / name
        for file, text in {
            "requirements/lambda.txt": "helper==1.0\n",
            ".venvs/lambda/gateway.txt": "helper==1.0\n",
            ".venvs/lambda/gateway/.lock": "",
            ".venvs/lambda/gateway/bin/helper": "#!/bin/sh\n",
            ".venvs/lambda/gateway/helper/__init__.py": "def help_with(): return 1\n",
            ".venvs/lambda/gateway/helper/fast.pyx": "",
            ".venvs/lambda/gateway/helper/py.typed": "",
            ".venvs/lambda/gateway/helper/tests/test_helper.py": "",
            ".venvs/lambda/gateway/helper-1.0.dist-info/METADATA": "Name: helper\n",
            ".venvs/lambda/gateway/helper-1.0.dist-info/RECORD": f"{name}\n",
            ".venvs/lambda/gateway/helper-1.0.dist-info/entry_points.txt": "[x]\n",
            "ours/__pycache__/main.cpython-313.pyc": name,
            "ours/inner/main.py": CODE,
            "ours/settings.toml": "a = 1\n",
            "app.py": "import ours\n",
        }.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600 if name > "b" else 0o664)
            os.utime(path, (len(name) * 1e6, len(name) * 1e6))
        return root

    return make


def stage(root: Path) -> Path:
    sources = {"app.py": root / "app.py", "ours": root / "ours"}
    return staged("gateway", sources, packages="gateway", root=root)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_our_code_and_the_packages_are_there_and_what_installers_leave_is_not(
    make_root: MakeRoot,
) -> None:
    files = {name for name in contents(stage(make_root("a"))) if not name.endswith(".pyc")}
    assert files == {
        "app.py",
        "helper-1.0.dist-info/METADATA",
        "helper-1.0.dist-info/entry_points.txt",
        "helper/__init__.py",
        "helper/py.typed",
        "ours/inner/main.py",
        "ours/settings.toml",
    }


def test_two_checkouts_give_the_same_bytes(make_root: MakeRoot) -> None:
    one, other = stage(make_root("a")), stage(make_root("another"))
    assert one != other
    assert one.name == other.name
    assert contents(one) == contents(other)


def test_every_module_is_compiled_for_lambdas_folder_and_never_checked(
    make_root: MakeRoot,
) -> None:
    folder = stage(make_root("a"))
    compiled = {path.stem.split(".")[0]: path for path in folder.rglob("*.pyc")}
    assert set(compiled) == {"app", "__init__", "main"}
    content = compiled["main"].read_bytes()
    assert int.from_bytes(content[4:8], "little") == 0b01  # by hash, unchecked
    code = marshal.loads(content[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "/var/task/ours/inner/main.py"


def test_what_is_there_is_used_again(make_root: MakeRoot) -> None:
    root = make_root("a")
    first = stage(root)
    made = first.stat().st_ctime_ns
    assert stage(root) == first
    assert first.stat().st_ctime_ns == made


@pytest.mark.parametrize("file", ["ours/inner/main.py", ".venvs/lambda/gateway/helper/__init__.py"])
def test_a_change_makes_another_folder(make_root: MakeRoot, file: str) -> None:
    root = make_root("a")
    first = stage(root)
    (root / file).write_text("changed = True\n")
    second = stage(root)
    assert second != first
    assert contents(second) != contents(first)


def test_many_at_once_make_one_folder_and_leave_nothing_else(make_root: MakeRoot) -> None:
    root = make_root("a")
    made: list[Path] = []
    threads = [threading.Thread(target=lambda: made.append(stage(root))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert set(made) == set((root / "build/lambda").iterdir())


@pytest.mark.parametrize("present", [True, False])
def test_packages_that_are_not_set_up_are_told_in_one_line(
    make_root: MakeRoot, *, present: bool
) -> None:
    root = make_root("a")
    lock = root / ".venvs/lambda/gateway.txt"
    if present:
        lock.write_text("helper==0.9\n")
    else:
        lock.unlink()
    with pytest.raises(WrongInput) as error:
        stage(root)
    state = "is out of date" if present else "is missing"
    assert str(error.value) == f".venvs/lambda/gateway: {state}: run 'make setup'"
    assert not (root / "build").exists()


def test_another_python_is_refused(make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "PYTHON", (3, 12))
    with pytest.raises(WrongInput, match=r"python: is 3\.13; .*must be 3\.12"):
        stage(make_root("a"))


def test_code_that_does_not_compile_is_refused(make_root: MakeRoot) -> None:
    root = make_root("a")
    (root / "ours/inner/main.py").write_text("def :\n")
    with pytest.raises(WrongInput, match=r"ours/inner/main\.py"):
        stage(root)
    assert list((root / "build/lambda").iterdir()) == []


def test_a_module_is_found_without_being_imported() -> None:
    code = (
        "import sys; from cdk.assets import module_file; "
        "assert module_file('chalice').name == '__init__.py'; assert 'chalice' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=assets.ROOT, check=True)
    with pytest.raises(WrongInput, match="no_such_module: is not installed"):
        module_file("no_such_module")
