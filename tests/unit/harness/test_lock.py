from pathlib import Path

import pytest

from harness.errors import StackError
from harness.local.identity import ProcessIdentity
from harness.local.lock import holder, only_supervisor


def test_the_holder_is_told_while_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "build" / "local.lock"

    assert holder(file) is None
    with only_supervisor(file):
        assert holder(file) == ProcessIdentity.own()
    assert holder(file) is None


def test_there_is_one_holder_at_a_time_and_the_next_may_follow(tmp_path: Path) -> None:
    file = tmp_path / "local.lock"

    with only_supervisor(file):
        with pytest.raises(StackError, match="make down"), only_supervisor(file):
            pass
        assert holder(file) == ProcessIdentity.own()
    with only_supervisor(file):
        assert holder(file) == ProcessIdentity.own()
