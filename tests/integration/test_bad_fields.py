"""A field that holds what it must not is refused by its name, and reaches no engine."""

from typing import Any, Final

import httpx
import pytest

from tests.support.contract import check_error

PREDICT: Final = "/api/finetune/predict"
CHAT: Final = "/v1/chat/completions"
COMPLETIONS: Final = "/v1/completions"
HI: Final = [{"role": "user", "content": "hi"}]
JSON: Final = {"content-type": "application/json"}

pytestmark = pytest.mark.usefixtures("nothing_reaches_an_engine")


BAD_SAMPLING: Final[list[tuple[str, object]]] = [
    ("max_tokens", 0),
    ("max_tokens", -5),
    ("max_tokens", 10**9),
    ("max_tokens", "ten"),
    ("max_tokens", True),
    ("max_tokens", 1.5),
    ("max_tokens", 10**300),
    ("temperature", 99),
    ("temperature", -0.1),
    ("temperature", "hot"),
    ("temperature", 10**400),
    ("temperature", True),
    ("top_p", 0),
    ("top_p", 1.1),
    ("stop", ""),
    ("stop", ["x"] * 17),
    ("stop", [1]),
    ("seed", 2**63),
    ("seed", "s"),
    ("session_id", ""),
    ("session_id", "s" * 10_000),
    ("session_id", 7),
    ("no_such_field", 1),
]


@pytest.mark.parametrize(("field", "value"), BAD_SAMPLING)
@pytest.mark.parametrize(
    ("path", "good"),
    [
        (PREDICT, {"prompt": "hi"}),
        (CHAT, {"model": "finetune", "messages": HI}),
        (COMPLETIONS, {"model": "finetune", "prompt": "hi"}),
    ],
)
def test_a_bad_value_is_refused_by_its_fields_name(
    admin: httpx.Client, path: str, good: dict[str, Any], field: str, value: object
) -> None:
    error = check_error(admin.post(path, json={**good, field: value}), "invalid_request", field)
    assert field in error["message"]


@pytest.mark.parametrize("spelling", ["1e999", "-1e999"])
def test_an_infinity_spelt_as_a_number_is_refused(admin: httpx.Client, spelling: str) -> None:
    body = f'{{"prompt": "hi", "temperature": {spelling}}}'.encode()
    check_error(admin.post(PREDICT, content=body, headers=JSON), "invalid_request", "temperature")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "  \n "}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 1}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"prompt": "a", "messages": HI}, "prompt"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages"),
        ({"messages": [{"content": "hi"}]}, "messages"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"prompt": "a", "variant": ""}, "variant"),
        ({"prompt": "a", "model_params": []}, "model_params"),
        ({"prompt": "a", "model_params": {"top_k": "x"}}, "model_params.top_k"),
        ({"prompt": "a", "model_params": {"nonsense": 1}}, "model_params.nonsense"),
        ({"prompt": "a", "model_params": {"model": "x"}}, "model_params.model"),
        ({"prompt": "a", "model_params": {"max_tokens": 9}}, "model_params.max_tokens"),
        ({"prompt": "a", "model_params": {"stream": True}}, "model_params.stream"),
        ({"prompt": "a", "model_params": {"chat_template": "x"}}, "model_params.chat_template"),
    ],
)
def test_what_predict_cannot_take_is_named(
    admin: httpx.Client, body: dict[str, Any], param: str
) -> None:
    check_error(admin.post(PREDICT, json=body), "invalid_request", param)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://example.invalid/cat.png"}},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "x"}},
        {"type": "text"},
        {"type": "text", "text": 5},
        5,
    ],
)
@pytest.mark.parametrize("path", [PREDICT, CHAT])
def test_message_parts_that_are_no_text_are_refused(
    admin: httpx.Client, path: str, part: object
) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": [part]}]}
    if path == CHAT:
        body["model"] = "finetune"
    error = check_error(admin.post(path, json=body), "invalid_request", "messages")
    assert "must be text" in error["message"]


@pytest.mark.parametrize(
    "field", ["chat_template", "kv_transfer_params", "priority", "request_id", "vllm_xargs"]
)
def test_fields_that_belong_to_the_engines_operators_are_refused(
    admin: httpx.Client, field: str
) -> None:
    body = {"model": "finetune", "messages": HI, field: {}}
    check_error(admin.post(CHAT, json=body), "invalid_request", field)
