"""`/ops/keys`: made, listed, changed and handed out, but never more than one has."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from chalicelib.auth import Key
from tests.integration.conftest import Stack
from tests.support.contract import asked, check_error, check_ok
from tests.support.local_aws import LocalAws

KEY: Final = {"name": "a key", "teams": ["quant"], "scopes": ["invoke"]}
HI: Final = {"prompt": "hi"}


def make(client: httpx.Client, **fields: object) -> dict[str, Any]:
    response = client.post("/ops/keys", json={**KEY, **fields})
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


def test_a_new_key_works_is_shown_once_and_only_its_digest_is_kept(
    shipped: Stack, admin: httpx.Client, aws: LocalAws
) -> None:
    made = make(admin)
    key = Key.parse(made["key"])
    assert key
    assert key.id == made["id"]
    with shipped.client(made["key"]) as client:
        check_ok(client.post("/api/quant/predict", json=HI))
    stored = str(aws.items(shipped.env["KEYS_TABLE"]) + aws.items(shipped.env["AUDIT_TABLE"]))
    assert made["id"] in stored
    assert key.secret not in stored
    assert key.secret not in admin.get("/ops/keys?limit=200").text


def test_making_a_key_leaves_an_audit_record_without_its_digest(
    shipped: Stack, admin: httpx.Client, aws: LocalAws
) -> None:
    made = make(admin, name="audited")
    (record,) = [
        item
        for item in aws.items(shipped.env["AUDIT_TABLE"])
        if item["subject"]["S"] == f"key:{made['id']}"
    ]
    assert record["action"] == {"S": "key.create"}
    assert record["before"] == {"NULL": True}
    assert record["after"]["M"]["name"] == {"S": "audited"}
    assert "digest" not in str(record)
    author = Key.parse(str(admin.headers["authorization"]).removeprefix("Bearer "))
    assert author
    assert record["actor"] == {"S": author.id}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"teams": []}, "teams"),
        ({"teams": ["nobody"]}, "teams"),
        ({"teams": "quant"}, "teams"),
        ({"teams": None}, "teams"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": [["admin"]]}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": 4102444800}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-01:00"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+01:00"}, "expires_at"),
        ({"digest": "x"}, "digest"),
        ({"disabled": True}, "disabled"),
        ({"id": "aaaaaaaaaaaa"}, "id"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    admin: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    check_error(admin.post("/ops/keys", json={**KEY, **fields}), "invalid_request", param)


@pytest.mark.parametrize("teams", [["finetune"], ["*"], ["quant", "eval"]])
def test_an_admin_of_one_team_grants_no_other(shipped: Stack, teams: list[str]) -> None:
    with shipped.client(shipped.key("admin", teams=("quant",))) as client:
        check_error(client.post("/ops/keys", json={**KEY, "teams": teams}), "forbidden")
        make(client, scopes=["admin"])


@pytest.mark.parametrize("action", ["rotate", "disable"])
def test_an_admin_of_one_team_touches_no_key_of_another(shipped: Stack, action: str) -> None:
    """Rotating one would hand out its rights."""
    with shipped.client(shipped.key("admin", teams=("quant",))) as client:
        for teams in (("finetune",), ("*",), ("quant", "finetune")):
            parsed = Key.parse(shipped.key("invoke", teams=teams))
            assert parsed
            path = f"/ops/keys/{parsed.id}"
            if action == "rotate":
                response = client.post(f"{path}/rotate", json={})
            else:
                response = client.patch(path, json={"disabled": True})
            check_error(response, "forbidden")


def test_an_admin_of_one_team_is_shown_no_key_of_another(
    shipped: Stack, admin: httpx.Client
) -> None:
    own, other, both = (
        make(admin, teams=teams)["id"] for teams in (["quant"], ["eval"], ["quant", "eval"])
    )
    shown: list[str] = []
    with shipped.client(shipped.key("admin", teams=("quant",))) as client:
        page = check_ok(client.get("/ops/keys?limit=200"))
        shown += [key["id"] for key in page["keys"]]
        while page["next"]:
            page = check_ok(client.get(f"/ops/keys?limit=200&after={page['next']}"))
            shown += [key["id"] for key in page["keys"]]
    assert own in shown
    assert not {other, both} & set(shown)


def test_a_rotated_keys_old_secret_stops_at_once(shipped: Stack, admin: httpx.Client) -> None:
    made = make(admin)
    rotated = check_ok(admin.post(f"/ops/keys/{made['id']}/rotate"))
    assert rotated["id"] == made["id"]
    assert rotated["key"] != made["key"]
    with shipped.client(made["key"]) as client:
        check_error(client.post("/api/quant/predict", json=HI), "invalid_key")
    with shipped.client(rotated["key"]) as client:
        check_ok(client.post("/api/quant/predict", json=HI))


def test_within_its_grace_the_old_secret_works_beside_the_new_one(
    shipped: Stack, admin: httpx.Client
) -> None:
    made = make(admin)
    rotated = check_ok(admin.post(f"/ops/keys/{made['id']}/rotate", json={"grace_s": 3600}))
    assert rotated["previous_until"]
    for key in (made["key"], rotated["key"]):
        with shipped.client(key) as client:
            check_ok(client.post("/api/quant/predict", json=HI))


@pytest.mark.parametrize("grace", [-1, 7 * 24 * 3600 + 1, "1h", 1.5])
def test_a_grace_period_that_makes_no_sense_is_refused(admin: httpx.Client, grace: object) -> None:
    made = make(admin)
    response = admin.post(f"/ops/keys/{made['id']}/rotate", json={"grace_s": grace})
    check_error(response, "invalid_request", "grace_s")


@pytest.mark.parametrize("key_id", ["aaaaaaaaaaaa", "x", "AAAAAAAAAAAA", "..%2F..", "a" * 500])
def test_a_key_nobody_made_is_not_found(admin: httpx.Client, key_id: str) -> None:
    check_error(admin.patch(f"/ops/keys/{key_id}", json={"disabled": True}), "not_found", "key_id")
    check_error(admin.post(f"/ops/keys/{key_id}/rotate", json={}), "not_found", "key_id")


@pytest.mark.parametrize("body", [{}, {"disabled": "yes"}, {"disabled": None}])
def test_a_key_is_disabled_by_true_or_false(admin: httpx.Client, body: dict[str, Any]) -> None:
    path = f"/ops/keys/{make(admin)['id']}"
    check_error(admin.patch(path, json=body), "invalid_request", "disabled")


def test_a_changes_other_fields_are_refused(admin: httpx.Client) -> None:
    path = f"/ops/keys/{make(admin)['id']}"
    body = {"disabled": False, "scopes": ["admin"]}
    check_error(admin.patch(path, json=body), "invalid_request", "scopes")


def test_keys_are_listed_page_by_page_each_once(admin: httpx.Client) -> None:
    made = {make(admin)["id"] for _ in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = check_ok(admin.get(f"/ops/keys?limit=2{after}"))
        assert len(page["keys"]) <= 2
        seen += [key["id"] for key in page["keys"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen))
    assert made <= set(seen)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "9" * 5000, "²"])
def test_a_page_size_out_of_range_is_refused(admin: httpx.Client, limit: str) -> None:
    response = admin.get("/ops/keys", params={"limit": limit})
    check_error(response, "invalid_request", "limit")


@pytest.mark.parametrize("after", ["", "x", "../..", "a" * 13])
def test_a_page_mark_that_is_none_is_refused(admin: httpx.Client, after: str) -> None:
    check_error(admin.get("/ops/keys", params={"after": after}), "invalid_request", "after")


def test_of_many_who_rotate_a_key_at_once_each_is_told_the_truth(admin: httpx.Client) -> None:
    """Whoever was answered 200 last holds the key; who came in between got a conflict."""
    key_id = make(admin)["id"]
    path = f"/ops/keys/{key_id}/rotate"
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda _: asked(lambda: admin.post(path)), range(8)))
    won = [answer.json()["version"] for answer in answers if answer.status_code == 200]
    assert len(won) == len(set(won)) >= 1
    for answer in answers:
        if answer.status_code != 200:
            check_error(answer, "conflict")
