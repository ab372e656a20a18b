"""The first key of a stage, made without one."""

import subprocess
import sys

from chalicelib.auth import Key
from tests.integration.conftest import Stack
from tests.support.contract import check_ok
from tests.support.gateway_process import environment
from tests.support.local_aws import API, LocalAws
from tests.support.sockets import refusing


def bootstrap(env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(API / "bootstrap_key.py"), *arguments],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_prints_a_key_that_works_and_nothing_else(shipped: Stack) -> None:
    done = bootstrap(dict(shipped.env), "--name", "first")
    assert (done.returncode, done.stderr) == (0, "")
    key = done.stdout.strip()
    assert Key.parse(key)
    with shipped.client(key) as client:
        check_ok(client.get("/ops/keys"))


def test_a_key_of_one_team_and_scope_may_do_no_more(shipped: Stack) -> None:
    arguments = ("--name", "one", "--team", "quant", "--scope", "invoke")
    key = bootstrap(dict(shipped.env), *arguments).stdout.strip()
    with shipped.client(key) as client:
        check_ok(client.post("/api/quant/predict", json={"prompt": "hi"}))
        assert client.get("/ops/keys").status_code == 403


def test_without_the_store_it_says_so_in_one_line(aws: LocalAws) -> None:
    with refusing() as url:
        done = bootstrap({**aws.env(), "AWS_ENDPOINT_URL_DYNAMODB": url}, "--name", "first")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("bootstrap_key: ")
    assert "Traceback" not in line
