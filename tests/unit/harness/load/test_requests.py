from typing import Any

import msgspec
import pytest

from harness.errors import PlanError
from harness.load.item import Item
from harness.load.requests import Requests
from harness.plan import Arm, Generation
from harness.promptsets.rows import Message, Row
from tests.support.load import plan

ROW = Row(prompt_id="r", prompt="Say é.", max_tokens=8, category="test")
TURNS = Row(
    prompt_id="t",
    messages=(
        Message(role="user", content="One?"),
        Message(role="assistant", content="1"),
        Message(role="user", content="Two?"),
    ),
    max_tokens=8,
    category="test",
)


def _sent(
    arm: Arm,
    row: Row = ROW,
    *,
    key: str | None = "k",
    index: int = 5,
    **fields: Any,  # noqa: ANN401
) -> tuple[str, dict[str, str], Any]:
    """Request line, headers and body."""
    item = Item(index=index, arm=arm, row=row, pair=2, seed=99)
    payload = Requests(plan(arm, **fields), arm, "a.test:80", key).bytes_of(item)
    head, _, body = payload.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = dict(header.split(": ", 1) for header in lines)
    assert int(headers["Content-Length"]) == len(body)
    return line, headers, msgspec.json.decode(body)


def test_the_path_of_a_stage_comes_before_that_of_the_api() -> None:
    line, _, _ = _sent(Arm(name="a", url="https://a.test/prod/", model="quant", api="predict"))
    assert line == "POST /prod/api/quant/predict HTTP/1.1"


def test_a_chat_is_asked_in_the_contract_of_openai() -> None:
    line, headers, body = _sent(Arm(name="a", url="http://a.test", model="quant/awq", stream=True))
    assert line == "POST /v1/chat/completions HTTP/1.1"
    assert headers["Host"] == "a.test:80"
    assert headers["Authorization"] == "Bearer k"
    assert headers["X-Correlation-ID"] == "run-1-5"
    assert headers["X-Session-ID"] == "run-1-2"
    assert body == {
        "model": "quant/awq",
        "messages": [{"role": "user", "content": "Say é."}],
        "max_tokens": 8,
        "temperature": 0.0,
        "seed": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_completion_is_asked_with_plain_text() -> None:
    generation = Generation(max_tokens=3, temperature=0.5, seeded=False, extra={"ignore_eos": True})
    arm = Arm(name="a", url="http://a.test", model="m", api="completions")
    line, _, body = _sent(arm, generation=generation)
    assert line == "POST /v1/completions HTTP/1.1"
    assert body == {
        "model": "m",
        "prompt": "Say é.",
        "max_tokens": 3,
        "temperature": 0.5,
        "ignore_eos": True,
    }


@pytest.mark.parametrize(
    ("model", "pinned"), [("finetune", {}), ("finetune/lora-v2", {"variant": "lora-v2"})]
)
def test_a_team_is_asked_by_its_path_and_a_variant_by_its_field(
    model: str, pinned: dict[str, str]
) -> None:
    arm = Arm(name="a", url="http://a.test", model=model, api="predict")
    line, _, body = _sent(arm, TURNS, generation=Generation(extra={"top_k": 5}))
    assert line == "POST /api/finetune/predict HTTP/1.1"
    assert body == {
        "messages": [
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "Two?"},
        ],
        "max_tokens": 8,
        "temperature": 0.0,
        "seed": 99,
        "model_params": {"top_k": 5},
        **pinned,
    }


def test_with_unique_prefixes_no_two_prompts_begin_alike() -> None:
    arm = Arm(name="a", url="http://a.test", model="m")
    generation = Generation(unique_prefix=True)
    prompts = {
        _sent(arm, TURNS, index=index, generation=generation, run_id=run)[2]["messages"][0][
            "content"
        ]
        for index in range(50)
        for run in ("one", "other")
    }
    assert len({prompt[:18] for prompt in prompts}) == 100
    assert all(prompt.endswith(" One?") for prompt in prompts)


def test_without_a_key_none_is_sent() -> None:
    _, headers, _ = _sent(Arm(name="a", url="http://a.test", model="m"), key=None)
    assert "Authorization" not in headers


def test_a_key_can_not_bring_headers_of_its_own() -> None:
    with pytest.raises(PlanError, match="the key for arm 'a'") as raised:
        _sent(Arm(name="a", url="http://a.test", model="m"), key="k\r\nX-Evil: 1")
    assert "Evil" not in str(raised.value)


def test_a_run_id_of_any_kind_makes_a_valid_correlation_id() -> None:
    arm = Arm(name="a", url="http://a.test", model="m")
    _, headers, _ = _sent(arm, run_id="ü b/" * 100, index=10**19)
    sent = headers["X-Correlation-ID"]
    assert len(sent) <= 128
    assert sent.startswith("--b---b-")
    assert sent.endswith(f"-{10**19}")
