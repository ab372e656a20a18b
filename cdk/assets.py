"""Code folders of Lambda functions: the same bytes from every checkout, and nothing downloaded.

What a function imports beside our code was unpacked once by requirements/lambda.sh. Here both are
put together and compiled: without `.pyc` files a cold start takes four times as long, and files
that name their source by time stamp would be new in every checkout.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from cdk.errors import WrongInput

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = (3, 13)
"""Of the Lambda runtime; its `.pyc` files are those of this version and of no other."""
RUNTIME: Final = f"python{PYTHON[0]}.{PYTHON[1]}"
IN_LAMBDA: Final = "/var/task"
"""Where Lambda puts the code, so what tracebacks name."""

Packages = Literal["gateway", "jobs"]
_LOCKS: Final[Mapping[Packages, str]] = {"gateway": "lambda.txt", "jobs": "jobs.txt"}
_FOLDERS_LEFT_OUT: Final = frozenset({"__pycache__", "bin", "tests"})
_FILES_LEFT_OUT: Final = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"})
"""How a package was installed: differs from machine to machine."""
_SUFFIXES_LEFT_OUT: Final = frozenset({".c", ".h", ".pxd", ".pyc", ".pyi", ".pyx"})


def staged(
    name: str, sources: Mapping[str, Path], *, packages: Packages, root: Path = ROOT
) -> Path:
    """A folder of build/lambda that holds `sources` (place in it: file or folder) and `packages`.

    Its name ends with a digest of all that is in it: what is there already is used again, and two
    that make the same one at once do not meet.

    Raises:
        WrongInput: the packages are not set up, or another Python is running.
    """
    _check_python()
    installed = _installed(packages, root)
    files = dict(sorted({**_files(Path(), installed), **_of_ours(sources)}.items()))
    folder = root / "build/lambda" / f"{name}-{_digest(files)}"
    if not folder.is_dir():
        _build(files, folder)
    return folder


def module_file(name: str) -> Path:
    """Where an installed module's source is; it is found, not imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise WrongInput(f"{name}: is not installed: run 'make setup'")
    return Path(spec.origin)


def _check_python() -> None:
    if sys.version_info[:2] != PYTHON:
        running = ".".join(map(str, sys.version_info[:2]))
        raise WrongInput(
            f"python: is {running}; synth compiles what the Lambdas run, so it must be "
            f"{PYTHON[0]}.{PYTHON[1]}"
        )


def _installed(packages: Packages, root: Path) -> Path:
    folder, lock = root / ".venvs/lambda" / packages, root / "requirements" / _LOCKS[packages]
    made_from = folder.with_suffix(".txt")
    if not made_from.is_file() or made_from.read_bytes() != lock.read_bytes():
        state = "is out of date" if made_from.is_file() else "is missing"
        raise WrongInput(f"{folder.relative_to(root)}: {state}: run 'make setup'")
    return folder


def _of_ours(sources: Mapping[str, Path]) -> dict[Path, Path]:
    return {
        place: file
        for name, source in sources.items()
        for place, file in _files(Path(name), source).items()
    }


def _files(place: Path, source: Path) -> dict[Path, Path]:
    """Files by their place in the folder."""
    if source.is_file():
        return {place: source}
    return {place / file.relative_to(source): file for file in _walk(source)}


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.name not in _FOLDERS_LEFT_OUT:
                yield from _walk(entry)
        elif entry.name not in _FILES_LEFT_OUT and entry.suffix not in _SUFFIXES_LEFT_OUT:
            yield entry


def _digest(files: Mapping[Path, Path]) -> str:
    total = hashlib.sha256(f"{sys.version} {IN_LAMBDA}".encode())
    for place, file in files.items():
        total.update(f"\n{place.as_posix()} {file.stat().st_size}\n".encode())
        total.update(file.read_bytes())
    return total.hexdigest()[:16]


def _build(files: Mapping[Path, Path], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        half_made = Path(temporary) / "code"
        for place, file in files.items():
            target = half_made / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        _compile(half_made)
        _set_modes(half_made)
        try:
            half_made.rename(folder)
        except OSError:
            if not folder.is_dir():  # not that another synth was faster
                raise


def _compile(folder: Path) -> None:
    """In a bare process, alone: what is shared within a `.pyc` depends on what else is loaded."""
    options = ["-q", "-f", "-d", IN_LAMBDA, "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(  # noqa: S603  (our own interpreter and folder)
        [sys.executable, "-S", "-s", "-m", "compileall", *options, "."],
        cwd=folder,
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WrongInput(f"{folder.name}: does not compile: {done.stdout.strip()}")


def _set_modes(folder: Path) -> None:
    """What a user's umask leaves must not change the package."""
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in names:
            (Path(parent) / name).chmod(0o644)
