"""Who may do what."""

import datetime as dt
import itertools
from typing import Final

import httpx
import pytest

from chalicelib.auth import SCOPES, Key
from tests.integration.conftest import Stack
from tests.support.contract import check_error, check_ok
from tests.support.local_aws import LocalAws

HI: Final = {"prompt": "hi"}
CHAT: Final = {"model": "finetune", "messages": [{"role": "user", "content": "hi"}]}
ASK: Final = ("POST", "/api/finetune/predict", HI)
GUARDED: Final[list[tuple[str, str, object]]] = [
    ASK,
    ("POST", "/v1/chat/completions", CHAT),
    ("POST", "/v1/completions", {"model": "finetune", "prompt": "hi"}),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/finetune", None),
    ("GET", "/v1/models/finetune/lora-v1", None),
    ("POST", "/api/eval/score", {"prompt": "2+2?", "response": "4"}),
    ("GET", "/ops/routes/finetune", None),
    ("PUT", "/ops/routes/finetune", {"split": {"lora-v1": 50, "lora-v2": 50}, "version": 0}),
    ("GET", "/ops/routes/finetune/explain?unit=a", None),
    ("GET", "/ops/keys", None),
    ("POST", "/ops/keys", {"name": "x", "teams": ["quant"], "scopes": ["invoke"]}),
    ("PATCH", "/ops/keys/aaaaaaaaaaaa", {"disabled": True}),
    ("POST", "/ops/keys/aaaaaaaaaaaa/rotate", {}),
]


def send(stack: Stack, key: str | None, method: str, path: str, body: object) -> httpx.Response:
    with stack.client(key) as client:
        return client.request(method, path, json=body) if body is not None else client.get(path)


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_without_a_key_nothing_is_open(
    shipped: Stack, method: str, path: str, body: object
) -> None:
    check_error(send(shipped, None, method, path, body), "missing_key")


@pytest.mark.parametrize("path", ["/health", "/startup", "/ready"])
def test_liveness_and_readiness_are_open(shipped: Stack, path: str) -> None:
    check_ok(send(shipped, None, "GET", path, None))


@pytest.mark.parametrize("path", ["/health", "/startup"])
def test_a_wrong_key_does_not_matter_where_none_is_needed(shipped: Stack, path: str) -> None:
    check_ok(send(shipped, "llmo_nonsense", "GET", path, None))


@pytest.mark.parametrize(
    "key",
    [
        "llmo_x",
        "x" * 10_000,
        str(Key.new()),  # well-formed, but nobody has it
        str(Key.new())[:-1] + "!",
        "' OR 1=1 --",
        "llmo_aaaaaaaaaaaa_" + "0" * 49,
    ],
)
@pytest.mark.parametrize(("method", "path", "body"), [ASK, GUARDED[3], GUARDED[8]])
def test_a_key_that_is_none_is_invalid(
    shipped: Stack, key: str, method: str, path: str, body: object
) -> None:
    check_error(send(shipped, key, method, path, body), "invalid_key")


@pytest.mark.parametrize("scheme", ["Basic", "llmo", "Token"])
def test_a_key_under_another_scheme_is_invalid(shipped: Stack, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {shipped.key()}"}
    response = httpx.get(f"{shipped.gateway.url}/v1/models", headers=headers)
    check_error(response, "invalid_key")


def test_another_keys_secret_does_not_open_this_one(shipped: Stack) -> None:
    mine, yours = Key.parse(shipped.key()), Key.parse(shipped.key())
    assert mine
    assert yours
    mixed = str(Key(id=mine.id, secret=yours.secret))
    check_error(send(shipped, mixed, *ASK), "invalid_key")


def test_a_disabled_key_stops_and_an_enabled_one_works_again(
    shipped: Stack, admin: httpx.Client
) -> None:
    key = shipped.key("invoke")
    parsed = Key.parse(key)
    assert parsed
    path = f"/ops/keys/{parsed.id}"
    check_ok(send(shipped, key, *ASK))
    assert check_ok(admin.patch(path, json={"disabled": True}))["disabled"] is True
    check_error(send(shipped, key, *ASK), "invalid_key")
    assert check_ok(admin.patch(path, json={"disabled": False}))["disabled"] is False
    check_ok(send(shipped, key, *ASK))


def test_an_expired_key_is_invalid(shipped: Stack, aws: LocalAws, admin: httpx.Client) -> None:
    expires = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    body = {"name": "short", "teams": ["finetune"], "scopes": ["invoke"], "expires_at": expires}
    made = admin.post("/ops/keys", json=body).json()
    check_ok(send(shipped, made["key"], *ASK))
    aws.client("dynamodb").update_item(
        TableName=shipped.env["KEYS_TABLE"],
        Key={"id": {"S": made["id"]}},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": "1000000000"}},
    )
    check_error(send(shipped, made["key"], *ASK), "invalid_key")


SCOPE_NEEDED: Final = {
    ("POST", "/api/finetune/predict"): "invoke",
    ("POST", "/v1/chat/completions"): "invoke",
    ("POST", "/v1/completions"): "invoke",
    ("GET", "/v1/models"): "invoke",
    ("GET", "/v1/models/finetune"): "invoke",
    ("GET", "/v1/models/finetune/lora-v1"): "invoke",
    ("POST", "/api/eval/score"): "score",
    ("GET", "/ops/routes/finetune"): "ops:read",
    ("PUT", "/ops/routes/finetune"): "ops:write",
    ("GET", "/ops/routes/finetune/explain?unit=a"): "ops:read",
}


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_every_scope_but_the_needed_one_is_forbidden(
    shipped: Stack, method: str, path: str, body: object
) -> None:
    needed = SCOPE_NEEDED.get((method, path), "admin")
    others = [scope for scope in SCOPES if scope not in {needed, "admin"}]
    error = check_error(send(shipped, shipped.key(*others), method, path, body), "forbidden")
    assert repr(needed) in error["message"]


def test_pinning_needs_its_scope(shipped: Stack) -> None:
    key = shipped.key("invoke")
    check_error(send(shipped, key, *ASK[:2], {**HI, "variant": "lora-v2"}), "forbidden")
    body = {**CHAT, "model": "finetune/lora-v2"}
    check_error(send(shipped, key, "POST", "/v1/chat/completions", body), "forbidden")
    able = shipped.key("invoke", "pin")
    answer = check_ok(send(shipped, able, *ASK[:2], {**HI, "variant": "lora-v2"}))
    assert (answer["variant"], answer["model_version"]) == ("lora-v2", "lora-v2")


@pytest.mark.parametrize(
    ("own", "asked"), [(o, a) for o, a in itertools.permutations(("quant", "finetune", "eval"), 2)]
)
def test_another_teams_model_is_forbidden(shipped: Stack, own: str, asked: str) -> None:
    key = shipped.key("invoke", "pin", "score", "ops:read", "ops:write", teams=(own,))
    body = {**CHAT, "model": asked}
    check_error(send(shipped, key, "POST", f"/api/{asked}/predict", HI), "forbidden")
    check_error(send(shipped, key, "POST", "/v1/chat/completions", body), "forbidden")
    check_error(send(shipped, key, "GET", f"/ops/routes/{asked}", None), "forbidden")
    check_error(send(shipped, key, "PUT", f"/ops/routes/{asked}", {}), "forbidden")


def test_the_reference_may_be_asked_by_every_team_but_not_changed(shipped: Stack) -> None:
    key = shipped.key("invoke", "ops:read", "ops:write", teams=("quant",))
    check_ok(send(shipped, key, "POST", "/api/reference/predict", HI))
    check_ok(send(shipped, key, "GET", "/ops/routes/reference", None))
    body = {"split": {"fp16": 100}, "version": 0}
    check_error(send(shipped, key, "PUT", "/ops/routes/reference", body), "forbidden")


def test_models_lists_what_a_key_may_ask_for(shipped: Stack) -> None:
    def names(*scopes: str, team: str) -> list[str]:
        key = shipped.key(*scopes, teams=(team,))
        return [m["id"] for m in check_ok(send(shipped, key, "GET", "/v1/models", None))["data"]]

    assert names("invoke", team="quant") == ["quant", "reference"]
    assert names("invoke", "pin", team="finetune") == [
        "finetune",
        "finetune/lora-v1",
        "finetune/lora-v2",
        "reference",
        "reference/fp16",
    ]
    quants = shipped.key("invoke", teams=("quant",))
    check_ok(send(shipped, quants, "GET", "/v1/models/reference", None))
    for hidden in ("finetune", "quant/awq"):
        check_error(
            send(shipped, quants, "GET", f"/v1/models/{hidden}", None), "not_found", "model"
        )
