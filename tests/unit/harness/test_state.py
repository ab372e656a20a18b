import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from harness.local.identity import ProcessIdentity
from harness.local.state import AwsAccess, StackState, publish, running


def _state() -> StackState:
    return StackState(
        gateway_url="http://127.0.0.1:1",
        admin_key="llmo_admin",
        keys={"quant": "llmo_quant"},
        engines={"mistral-7b-awq": "http://127.0.0.1:2"},
        engine_api_key="engine",
        aws=AwsAccess(
            endpoint_url="http://127.0.0.1:3",
            region="us-west-2",
            access_key_id="local",
            secret_access_key="secret",
        ),
        sagemaker_runtime_url="http://127.0.0.1:4",
        supervisor=ProcessIdentity.own(),
        logs="logs",
    )


def test_a_published_state_is_read_back_whole(tmp_path: Path) -> None:
    file = tmp_path / "build" / "local.json"

    publish(_state(), file)

    assert running(file) == _state()


def test_only_its_owner_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "local.json"

    publish(_state(), file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_state_whose_supervisor_has_gone_is_no_running_stack(tmp_path: Path) -> None:
    file = tmp_path / "local.json"
    gone = ProcessIdentity(pid=ProcessIdentity.own().pid, started="long ago")

    publish(replace(_state(), supervisor=gone), file)

    assert running(file) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"supervisor": {"pid": 1}}', '{"supervisor": null}']
)
def test_a_damaged_file_is_no_running_stack(tmp_path: Path, text: str) -> None:
    file = tmp_path / "local.json"
    file.write_text(text)

    assert running(file) is None


def test_a_missing_file_is_no_running_stack(tmp_path: Path) -> None:
    assert running(tmp_path / "local.json") is None


def test_the_file_says_what_others_rely_on(tmp_path: Path) -> None:
    file = tmp_path / "local.json"

    publish(_state(), file)

    assert set(json.loads(file.read_text())) == {
        "gateway_url",
        "admin_key",
        "keys",
        "engines",
        "engine_api_key",
        "aws",
        "sagemaker_runtime_url",
        "supervisor",
        "logs",
    }
