from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest

from sagemaker_models.publish import only_builder, staged

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_finished_model_takes_its_place(tmp_path: Path) -> None:
    with staged(tmp_path / "awq") as folder:
        (folder / "weights").write_text("new")
        assert not (tmp_path / "awq").exists()
    assert contents(tmp_path) == {"awq/weights": "new"}


def test_a_finished_model_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for version in ("old", "new"):
        with staged(tmp_path / "awq") as folder:
            (folder / version).write_text(version)
    assert contents(tmp_path) == {"awq/new": "new"}


def test_a_failed_build_leaves_the_old_model_and_nothing_else(tmp_path: Path) -> None:
    with staged(tmp_path / "awq") as folder:
        (folder / "weights").write_text("old")

    def build_that_fails() -> None:
        with staged(tmp_path / "awq") as folder:
            (folder / "weights").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_that_fails()
    assert contents(tmp_path) == {"awq/weights": "old"}


def test_other_users_may_read_a_model(tmp_path: Path) -> None:
    with staged(tmp_path / "awq") as folder:
        weights = folder / "weights"
        weights.write_text("new")
        weights.chmod(0o600)
    assert (tmp_path / "awq").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "awq" / "weights").stat().st_mode & 0o777 == 0o644


def _die_half_way(target: Path) -> None:
    with staged(target) as folder:
        (folder / "weights").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = multiprocessing.get_context("spawn").Process(
        target=_die_half_way, args=(tmp_path / "awq",)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert not (tmp_path / "awq").exists()
    assert contents(tmp_path) != {}
    with only_builder(tmp_path):
        assert contents(tmp_path) == {}
