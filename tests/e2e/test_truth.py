"""What the headers claim is what the engines did."""

import json
import os
import re
import subprocess

import pytest

from chalicelib import openai_fields
from harness.local.layout import Layout
from tests.e2e.platform import GREEDY, SUM, Platform
from tests.support.contract import check_ok

pytestmark = pytest.mark.engines

_FIELDS_OF_VLLM = """
import json
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
models = {"chat": ChatCompletionRequest, "completion": CompletionRequest}
print(json.dumps({name: sorted(model.model_fields) for name, model in models.items()}))
"""


@pytest.mark.parametrize(
    ("team", "variant", "engine"),
    [
        ("quant", "awq", "mistral-7b-awq"),  # by way of SageMaker's runtime
        ("finetune", "lora-v2", "mistral-7b-lora"),
        ("reference", "fp16", "mistral-7b-fp16"),
    ],
)
def test_the_engine_behind_the_target_is_the_one_that_answered(
    platform: Platform, team: str, variant: str, engine: str
) -> None:
    """Its own count of finished requests grows by one, and no other engine's does."""
    before = {name: platform.served(name) for name in platform.state.engines}

    key = team if team in platform.state.keys else "quant"
    check_ok(platform.predict(team, key=key, variant=variant))

    after = {name: platform.served(name) for name in platform.state.engines}
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {engine: 1}


@pytest.mark.parametrize("variant", ["lora-v1", "lora-v2"])
def test_the_adapter_in_the_header_is_the_one_that_spoke(platform: Platform, variant: str) -> None:
    """The engine, asked directly for that adapter, says the same."""
    body = {"model": variant, "messages": [{"role": "user", "content": SUM}], **GREEDY}
    engine = platform.engine("mistral-7b-lora", "/v1/chat/completions", body).json()

    answer = check_ok(platform.predict("finetune", variant=variant))

    assert engine["model"] == answer["model_version"] == variant
    assert engine["choices"][0]["message"]["content"] == answer["output"]
    assert engine["usage"]["completion_tokens"] == answer["usage"]["completion_tokens"]


def test_the_adapter_is_loaded_in_the_engine(platform: Platform) -> None:
    check_ok(platform.predict("finetune", variant="lora-v1"))

    models = platform.engine("mistral-7b-lora", "/v1/models").json()["data"]
    assert {"lora-v1", "lora-v2"} <= {model["id"] for model in models}
    metrics = platform.engine("mistral-7b-lora", "/metrics").text
    assert re.search(r'^vllm:lora_requests_info\{[^}]*max_lora="4"', metrics, re.MULTILINE)


def test_every_field_that_vllm_knows_is_allowed_or_refused() -> None:
    """No field of a new vLLM slips through the gateway, or is lost there, unseen."""
    layout = Layout.of_repository()
    answer = subprocess.run(
        [layout.root / ".venvs" / "engine" / "bin" / "python", "-c", _FIELDS_OF_VLLM],
        capture_output=True,
        check=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
    )
    known = json.loads(answer.stdout.splitlines()[-1])

    for name, fields in (("chat", openai_fields.chat), ("completion", openai_fields.completion)):
        allowed = set(fields(100))
        assert set(known[name]) - allowed == set(openai_fields.REFUSED) & set(known[name])
        assert allowed <= set(known[name])
