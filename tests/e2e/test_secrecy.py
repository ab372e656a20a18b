"""What callers say, and the keys they say it with, stay out of every log."""

import secrets
from pathlib import Path

import pytest

from tests.e2e.platform import Platform
from tests.support.contract import check_ok

pytestmark = pytest.mark.engines


def test_neither_prompt_nor_key_is_in_any_log(platform: Platform) -> None:
    marker = secrets.token_hex(12)
    state = platform.state
    for team, key in (("quant", "quant"), ("finetune", "finetune"), ("reference", "quant")):
        check_ok(platform.predict(team, key=key, prompt=f"What is {marker}?"))
    scored = {"prompt": f"What is {marker}?", "response": f"It is {marker}."}
    platform.post("/api/eval/score", scored, key="eval")
    platform.predict("finetune", prompt=f"Too long: {marker} " * 400)

    logs = [path for path in Path(state.logs).rglob("*.log") if path.is_file()]
    names = {path.name for path in logs}
    assert {"gateway.log", "engines.log", "sagemaker-runtime.log", "mistral-7b-lora.log"} <= names
    secret_texts = [marker, *state.keys.values(), state.admin_key, state.engine_api_key]
    secret_texts.append(state.aws.secret_access_key)
    leaks = [
        (path.name, text[:8])
        for path in logs
        for text in secret_texts
        if text in path.read_text("utf-8", errors="replace")
    ]
    assert leaks == []


def test_no_secret_is_on_a_command_line(platform: Platform) -> None:
    """Everybody on the machine can read those."""
    state = platform.state
    lines = [" ".join(process.cmdline()) for process in platform.processes()]

    secret_texts = [*state.keys.values(), state.admin_key, state.engine_api_key]
    secret_texts.append(state.aws.secret_access_key)
    for text in secret_texts:
        assert not any(text in line for line in lines)
