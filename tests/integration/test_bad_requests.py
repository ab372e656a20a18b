"""Every wrong request gets the contract's error, naming the field, and reaches no engine."""

import json
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


@pytest.mark.parametrize("path", [PREDICT, CHAT, COMPLETIONS, "/api/eval/score", "/ops/keys"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"hello", "invalid_json"),
        (b"\xff\xfe{}", "invalid_json"),
        (b'{"prompt": "\xc3"}', "invalid_json"),
        (b'{"prompt": "\\ud800"}', "invalid_json"),
        (b'{"temperature": NaN}', "invalid_json"),
        (b'{"temperature": Infinity}', "invalid_json"),
        (b'{"temperature": -Infinity}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"max_tokens": ' + b"9" * 5000 + b"}", "invalid_json"),
        (b"[]", "invalid_request"),
        (b'"text"', "invalid_request"),
        (b"null", "invalid_request"),
        (b'{"a": 1} {"b": 2}', "invalid_json"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    admin: httpx.Client, path: str, body: bytes, code: str
) -> None:
    check_error(admin.post(path, content=body, headers=JSON), code)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PREDICT, {"prompt": "hi"}),
        (CHAT, {"model": "finetune", "messages": HI}),
        (COMPLETIONS, {"model": "finetune", "prompt": "hi"}),
    ],
)
def test_streaming_is_refused_as_unavailable(
    admin: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    response = admin.post(path, json={**body, "stream": True})
    check_error(response, "streaming_unavailable", "stream")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"model": "finetune"}),
        (CHAT, {"model": "finetune", "messages": None}),
        (COMPLETIONS, {"model": "finetune"}),
    ],
)
def test_what_openai_needs_is_needed(admin: httpx.Client, path: str, body: dict[str, Any]) -> None:
    param = "messages" if path == CHAT else "prompt"
    check_error(admin.post(path, json=body), "invalid_request", param)


def test_the_model_is_needed(admin: httpx.Client) -> None:
    check_error(admin.post(CHAT, json={"messages": HI}), "invalid_request", "model")


@pytest.mark.parametrize(
    "model",
    [
        "../x",
        "/etc/passwd",
        "mistral-7b-lora",
        "lora-v1",
        "FINETUNE",
        "finetune ",
        "\u0000",
        "__class__",
    ],
)
def test_a_model_that_is_no_team_is_unknown(admin: httpx.Client, model: str) -> None:
    response = admin.post(CHAT, json={"model": model, "messages": HI})
    check_error(response, "invalid_request" if not model.strip() else "unknown_team", "model")


@pytest.mark.parametrize("variant", ["../x", "/etc/passwd", "lora-v3", "awq", "x/y", "LORA-V1"])
def test_a_variant_the_team_has_not_is_unknown(admin: httpx.Client, variant: str) -> None:
    body = {"model": f"finetune/{variant}", "messages": HI}
    check_error(admin.post(CHAT, json=body), "unknown_variant", "variant")
    body = {"prompt": "hi", "variant": variant}
    check_error(admin.post(PREDICT, json=body), "unknown_variant", "variant")


@pytest.mark.parametrize("team", ["nobody", "..", "finetune%2F..", "%2Fetc%2Fpasswd", "FINETUNE"])
def test_an_unknown_team_in_the_path_is_a_404(admin: httpx.Client, team: str) -> None:
    response = admin.post(f"/api/{team}/predict", json={"prompt": "hi"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] in {"unknown_team", "not_found"}


def test_a_body_over_a_megabyte_is_too_large(admin: httpx.Client) -> None:
    error = check_error(admin.post(PREDICT, json={"prompt": "x" * 1_048_576}), "too_large")
    assert "1048576" in error["message"]


def test_a_body_that_is_not_announced_as_json_is_refused(admin: httpx.Client) -> None:
    headers = {"content-type": "text/plain"}
    check_error(
        admin.post(PREDICT, content=b'{"prompt": "hi"}', headers=headers), "invalid_request"
    )


@pytest.mark.parametrize("session", ["", "s" * 257, "s" * 10_000])
def test_a_session_header_of_the_wrong_length_is_refused(admin: httpx.Client, session: str) -> None:
    for path, body in ((PREDICT, {"prompt": "hi"}), (CHAT, {"model": "finetune", "messages": HI})):
        response = admin.post(path, json=body, headers={"X-Session-ID": session})
        check_error(response, "invalid_request", "X-Session-ID")


@pytest.mark.parametrize(
    "correlation_id", ["", "a b", "a\tb", "x" * 129, "x" * 10_000, "<script>", "a;b", "ä", "$(id)"]
)
@pytest.mark.parametrize("path", ["/health", "/v1/models", "/ops/keys"])
def test_a_correlation_id_of_other_characters_is_refused_and_not_echoed(
    admin: httpx.Client, path: str, correlation_id: str
) -> None:
    response = admin.get(path, headers=[(b"X-Correlation-ID", correlation_id.encode())])
    error = check_error(response, "invalid_request", "X-Correlation-ID")
    assert error["correlation_id"] != correlation_id


def test_unknown_fields_do_not_come_back_at_length(admin: httpx.Client) -> None:
    response = admin.post(PREDICT, json={"prompt": "hi", "f" * 5000: 1})
    error = check_error(response, "invalid_request", "f" * 64)
    assert len(json.dumps(error)) < 500


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"response": "4"}, "prompt"),
        ({"prompt": "2+2?"}, "response"),
        ({"prompt": "", "response": "4"}, "prompt"),
        ({"prompt": "2+2?", "response": 4}, "response"),
        ({"prompt": "2+2?", "response": "4", "reference": 4}, "reference"),
        ({"prompt": "2+2?", "response": "4", "profile": "lenient-v0"}, "profile"),
        ({"prompt": "2+2?", "response": "4", "profile": 1}, "profile"),
        ({"prompt": "2+2?", "response": "4", "score": 1}, "score"),
    ],
)
def test_what_cannot_be_scored_is_named(
    admin: httpx.Client, body: dict[str, Any], param: str
) -> None:
    check_error(admin.post("/api/eval/score", json=body), "invalid_request", param)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PREDICT),
        ("DELETE", PREDICT),
        ("PUT", CHAT),
        ("POST", "/v1/models"),
        ("POST", "/health"),
        ("PATCH", "/ops/routes/finetune"),
        ("DELETE", "/ops/keys"),
    ],
)
def test_a_wrong_method_is_a_405(admin: httpx.Client, method: str, path: str) -> None:
    check_error(admin.request(method, path), "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/v1", "/v1/load_lora_adapter", "/metrics", "/api/finetune", "/ops"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_404(admin: httpx.Client, method: str, path: str) -> None:
    check_error(admin.request(method, path), "not_found")
