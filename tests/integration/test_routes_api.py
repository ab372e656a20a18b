"""`/ops/routes`: weights changed under optimistic locking, in force, and explained."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from chalicelib.auth import Key
from tests.integration.conftest import Stack, stack
from tests.support.contract import asked, check_error, check_ok
from tests.support.local_aws import LocalAws

ROUTE: Final = "/ops/routes/eval"
SUPPORT: Final = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def own(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway of this module's own, whose weights nobody else relies on."""
    env = {"GATEWAY_CONFIG": str(SUPPORT / "splits.toml")}
    with stack(aws, {}, {}, env, tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture(scope="module")
def ops(own: Stack) -> Iterator[httpx.Client]:
    with own.client(own.key()) as client:
        yield client


@pytest.fixture
def team(request: pytest.FixtureRequest) -> str:
    """Each test has a team to itself, so that their order doesn't matter."""
    number = sorted(_USERS).index(request.node.originalname)
    return f"team-{number}"


_USERS: Final = (
    "test_before_any_change_the_declared_weights_hold",
    "test_a_change_is_in_force_at_once_and_counted",
    "test_a_change_at_a_version_that_has_passed_is_a_conflict",
    "test_of_many_changes_at_once_one_wins",
    "test_a_change_leaves_an_audit_record_with_before_and_after",
    "test_an_earlier_version_can_still_be_explained",
    "test_a_variant_out_of_service_gets_nobody",
    "test_writing_the_same_weights_again_is_a_change_like_any_other",
)


def put(client: httpx.Client, team: str, a: int, version: int) -> httpx.Response:
    body = {"split": {"a": a, "b": 100 - a}, "version": version}
    return client.put(f"/ops/routes/{team}", json=body)


def test_before_any_change_the_declared_weights_hold(ops: httpx.Client, team: str) -> None:
    response = ops.get(f"/ops/routes/{team}")
    route = check_ok(response)
    assert route["split"] == {"a": 80, "b": 20}
    assert (route["version"], route["source"]) == (0, "declared")
    assert response.headers["x-route-version"] == route["route_version"]
    assert response.headers["x-route-team"] == team
    assert route["variants"]["a"] == {"model": "model-a", "targets": ["vllm:one"]}


def test_a_change_is_in_force_at_once_and_counted(ops: httpx.Client, team: str) -> None:
    before = check_ok(ops.get(f"/ops/routes/{team}"))
    changed = check_ok(put(ops, team, 70, 0))
    assert changed["split"] == {"a": 70, "b": 30}
    assert (changed["version"], changed["source"]) == (1, "stored")
    assert changed["route_version"] != before["route_version"]
    assert check_ok(ops.get(f"/ops/routes/{team}")) == changed
    assert check_ok(put(ops, team, 80, 1))["route_version"] == before["route_version"]


def test_a_change_at_a_version_that_has_passed_is_a_conflict(ops: httpx.Client, team: str) -> None:
    check_error(put(ops, team, 60, 3), "conflict", "version")
    check_ok(put(ops, team, 60, 0))
    check_error(put(ops, team, 50, 0), "conflict", "version")
    assert check_ok(ops.get(f"/ops/routes/{team}"))["split"] == {"a": 60, "b": 40}


def test_of_many_changes_at_once_one_wins(ops: httpx.Client, team: str) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda a: asked(lambda: put(ops, team, a, 0)), range(8)))
    (won,) = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer is not won:
            check_error(answer, "conflict", "version")
    stored = check_ok(ops.get(f"/ops/routes/{team}"))
    sent = json.loads(won.request.content)["split"]
    assert (stored["split"], stored["version"]) == (sent, 1)


def test_a_change_leaves_an_audit_record_with_before_and_after(
    own: Stack, ops: httpx.Client, aws: LocalAws, team: str
) -> None:
    response = put(ops, team, 55, 0)
    check_ok(response)
    (record,) = [
        item for item in aws.items(own.env["AUDIT_TABLE"]) if item["subject"]["S"] == f"team:{team}"
    ]
    author = Key.parse(str(ops.headers["authorization"]).removeprefix("Bearer "))
    assert author
    assert record["actor"]["S"] == author.id
    assert record["action"]["S"] == "split.put"
    assert record["correlation_id"]["S"] == response.headers["x-correlation-id"]
    assert record["before"]["M"]["weights"]["M"] == {"a": {"N": "80"}, "b": {"N": "20"}}
    assert record["after"]["M"]["weights"]["M"] == {"a": {"N": "55"}, "b": {"N": "45"}}


def test_an_earlier_version_can_still_be_explained(ops: httpx.Client, team: str) -> None:
    """A response's X-Route-Version replays its decision, whatever the weights are by now."""

    def explained(**query: str) -> dict[str, Any]:
        return check_ok(ops.get(f"/ops/routes/{team}/explain", params={"unit": "u", **query}))

    declared = explained()
    check_ok(put(ops, team, 0, 0))
    zero = explained()
    check_ok(put(ops, team, 100, 1))
    assert (zero["variant"], explained()["variant"]) == ("b", "a")
    assert explained(route_version=zero["route_version"]) == zero
    assert explained(route_version=declared["route_version"]) == declared
    unknown = ops.get(f"/ops/routes/{team}/explain?unit=u&route_version=000000000000")
    check_error(unknown, "not_found", "route_version")


def test_a_variant_out_of_service_gets_nobody(ops: httpx.Client, team: str) -> None:
    check_ok(put(ops, team, 0, 0))
    told = [ops.get(f"/ops/routes/{team}/explain?unit={unit}").json() for unit in range(50)]
    assert {answer["variant"] for answer in told} == {"b"}


def test_writing_the_same_weights_again_is_a_change_like_any_other(
    ops: httpx.Client, team: str
) -> None:
    assert check_ok(put(ops, team, 80, 0))["version"] == 1
    assert check_ok(put(ops, team, 80, 1))["version"] == 2


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"split": {"judge": 100}}, "invalid_request", "version"),
        ({"version": 0}, "invalid_request", "split"),
        ({"split": [], "version": 0}, "invalid_request", "split"),
        ({"split": {}, "version": 0}, "invalid_request", "split"),
        ({"split": {"judge": 99}, "version": 0}, "invalid_request", "split"),
        ({"split": {"judge": 101}, "version": 0}, "invalid_request", "split.judge"),
        ({"split": {"judge": -1}, "version": 0}, "invalid_request", "split.judge"),
        ({"split": {"judge": 50.5}, "version": 0}, "invalid_request", "split.judge"),
        ({"split": {"judge": True}, "version": 0}, "invalid_request", "split.judge"),
        ({"split": {"judge": "100"}, "version": 0}, "invalid_request", "split.judge"),
        ({"split": {"jury": 100}, "version": 0}, "unknown_variant", "variant"),
        ({"split": {"judge": 100}, "version": -1}, "invalid_request", "version"),
        ({"split": {"judge": 100}, "version": "0"}, "invalid_request", "version"),
        ({"split": {"judge": 100}, "version": 0, "force": True}, "invalid_request", "force"),
    ],
)
def test_a_split_that_is_none_changes_nothing(
    admin: httpx.Client, body: dict[str, Any], code: str, param: str
) -> None:
    check_error(admin.put(ROUTE, json=body), code, param)
    assert check_ok(admin.get(ROUTE))["version"] == 0


@pytest.mark.parametrize("path", ["/ops/routes/nobody", "/ops/routes/nobody/explain?unit=a"])
def test_the_routes_of_nobody_are_unknown(admin: httpx.Client, path: str) -> None:
    check_error(admin.get(path), "unknown_team")


@pytest.mark.parametrize("unit", ["", "u" * 257])
def test_a_unit_of_the_wrong_length_is_refused(admin: httpx.Client, unit: str) -> None:
    response = admin.get(f"{ROUTE}/explain", params={"unit": unit})
    check_error(response, "invalid_request", "unit")


def test_a_unit_is_needed(admin: httpx.Client) -> None:
    check_error(admin.get(f"{ROUTE}/explain"), "invalid_request", "unit")
