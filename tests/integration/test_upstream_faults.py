"""An engine's bad days: the contract's error in time, or another target's answer."""

from typing import Any, Final

import httpx
import pytest

from chalicelib.backends.fake import Behaviour
from tests.integration.conftest import Stack
from tests.support.clocks import in_time
from tests.support.contract import check_error, check_ok
from tests.support.http_server import Answered
from tests.support.sagemaker_runtime import model_error, refused

HI: Final = {"prompt": "hi", "max_tokens": 20}
LONG: Final = "word " * 100

FAULTS: Final[list[tuple[str, dict[str, Any], str, str]]] = [
    # name, behaviour, the code on the only target, the reason that a fallback names
    ("refused", {"fault": "refuse"}, "upstream_error", "connect"),
    ("reset", {"fault": "reset"}, "upstream_error", "reset"),
    ("cut short", {"fault": "truncate"}, "upstream_error", "reset"),
    ("endless", {"fault": "huge"}, "upstream_error", "too_large"),
    ("status 500", {"fault": "status", "status": 500}, "upstream_error", "unavailable"),
    ("status 503", {"fault": "status", "status": 503}, "upstream_error", "unavailable"),
    ("status 429", {"fault": "status", "status": 429}, "upstream_error", "throttled"),
    ("status 401", {"fault": "status", "status": 401}, "upstream_error", "rejected"),
    ("status 404", {"models": ("another",)}, "upstream_error", "rejected"),
    ("garbage", {"fault": "garbage"}, "upstream_error", "garbage"),
    ("error in a 200", {"fault": "error_body"}, "upstream_error", "garbage"),
    ("abort in a 200", {"fault": "abort"}, "upstream_error", "aborted"),
    ("another model", {"fault": "wrong_model"}, "upstream_error", "wrong_model"),
    ("no choices", {"fault": "no_choices"}, "upstream_error", "garbage"),
    ("hang", {"fault": "hang"}, "upstream_timeout", "timeout"),
    ("stall", {"fault": "stall"}, "upstream_timeout", "timeout"),
    ("trickle", {"fault": "trickle", "trickle_interval_s": 0.2}, "upstream_timeout", "timeout"),
    ("slow", {"latency_s": 5.0}, "upstream_timeout", "timeout"),
]
IDS: Final = [name for name, *_ in FAULTS]
TIMED_OUT: Final = [fault for fault in FAULTS if fault[2] == "upstream_timeout"]


@pytest.mark.parametrize(("_name", "knobs", "code", "reason"), FAULTS, ids=IDS)
def test_a_fault_of_the_only_target_is_the_contracts_error(
    ill: Stack, patient: httpx.Client, _name: str, knobs: dict[str, Any], code: str, reason: str
) -> None:
    ill.engines["first"].behaviour = Behaviour(answer=LONG, **knobs)
    response = patient.post("/api/lone/predict", json=HI)
    error = check_error(response, code)
    assert f"vllm:first ({reason})" in error["message"]
    assert response.headers["x-route-team"] == "lone"
    assert response.headers["x-route-variant"] == "only"
    assert response.headers["x-route-target"] == "vllm:first"
    assert response.headers["x-route-version"] != "none"


@pytest.mark.parametrize(("_name", "knobs", "_code", "reason"), FAULTS, ids=IDS)
def test_a_fault_of_the_first_target_is_made_good_by_the_second(
    ill: Stack, patient: httpx.Client, _name: str, knobs: dict[str, Any], _code: str, reason: str
) -> None:
    ill.engines["first"].behaviour = Behaviour(answer=LONG, **knobs)
    response = patient.post("/api/pair/predict", json=HI)
    answer = check_ok(response)
    assert (answer["output"], answer["target"]) == ("from second", "vllm:second")
    assert response.headers["x-route-target"] == "vllm:second"
    assert response.headers["x-route-fallback"] == f"vllm:first:{reason}"


@pytest.mark.parametrize(
    ("_name", "knobs", "code", "_reason"), TIMED_OUT, ids=[fault[0] for fault in TIMED_OUT]
)
@pytest.mark.parametrize(("team", "timeout_s"), [("lone", 1.0), ("pair", 1.4)])
def test_whatever_hangs_the_caller_has_an_answer_by_the_teams_timeout(
    ill: Stack,
    patient: httpx.Client,
    _name: str,
    knobs: dict[str, Any],
    code: str,
    _reason: str,
    team: str,
    timeout_s: float,
) -> None:
    for engine in ill.engines.values():
        engine.behaviour = Behaviour(answer=LONG, **knobs)
    response = in_time(timeout_s, lambda: patient.post(f"/api/{team}/predict", json=HI))
    check_error(response, code)


def test_a_deadline_holds_against_an_endless_answer(ill: Stack, patient: httpx.Client) -> None:
    ill.engines["first"].behaviour = Behaviour(fault="huge")
    response = in_time(1.0, lambda: patient.post("/api/lone/predict", json=HI))
    check_error(response, "upstream_error")


def test_a_host_without_an_address_is_a_failed_connection(patient: httpx.Client) -> None:
    response = in_time(1.0, lambda: patient.post("/api/nowhere/predict", json=HI))
    error = check_error(response, "upstream_error")
    assert "vllm:unresolvable (connect)" in error["message"]
    assert "nowhere.invalid" not in error["message"]


def test_a_host_without_an_address_is_made_good_by_the_second_target(
    patient: httpx.Client,
) -> None:
    response = patient.post("/api/astray/predict", json=HI)
    assert check_ok(response)["output"] == "from second"
    assert response.headers["x-route-fallback"] == "vllm:unresolvable:connect"


@pytest.mark.parametrize("status", [429, 503])
def test_an_engines_retry_after_reaches_the_caller(
    ill: Stack, patient: httpx.Client, status: int
) -> None:
    """It is longer than the time that is left, so nobody waits for it here."""
    ill.engines["first"].behaviour = Behaviour(fault="status", status=status, retry_after_s=7)
    response = patient.post("/api/lone/predict", json=HI)
    check_error(response, "upstream_error")
    assert response.headers["retry-after"] == "7"
    posts = [r for r in ill.engines["first"].requests if r.method == "POST"]
    assert posts


def test_an_engine_that_is_well_again_answers_the_same_request(
    ill: Stack, patient: httpx.Client
) -> None:
    """The second attempt on the same target, because there is no other one."""
    ill.engines["first"].behaviour = Behaviour(
        answer="at last", fault="status", status=503, fail_first=1
    )
    response = patient.post("/api/lone/predict", json=HI)
    assert check_ok(response)["output"] == "at last"
    assert "x-route-fallback" not in response.headers


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize(("_name", "knobs", "code", "_reason"), FAULTS[1:17:4], ids=IDS[1:17:4])
def test_openais_paths_fail_in_the_same_way(
    ill: Stack,
    patient: httpx.Client,
    path: str,
    _name: str,
    knobs: dict[str, Any],
    code: str,
    _reason: str,
) -> None:
    ill.engines["first"].behaviour = Behaviour(answer=LONG, **knobs)
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
    if path == "/v1/completions":
        asked = {"prompt": "hi"}
    check_error(patient.post(path, json={"model": "lone", **asked}), code)


def test_a_judge_that_is_down_is_an_upstream_error(ill: Stack, patient: httpx.Client) -> None:
    ill.engines["first"].behaviour = Behaviour(fault="refuse")
    response = patient.post("/api/eval/score", json={"prompt": "2+2?", "response": "4"})
    check_error(response, "upstream_error")


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (refused(400, "ValidationError"), "rejected"),
        (refused(403, "AccessDeniedException"), "rejected"),
        (refused(400, "ThrottlingException"), "throttled"),
        (refused(500, "InternalFailure"), "unavailable"),
        (refused(503, "ServiceUnavailable"), "unavailable"),
        (refused(424, "ModelNotReadyException"), "unavailable"),
        (model_error(500, "died"), "unavailable"),
        (model_error(503, "busy"), "unavailable"),
        (model_error(429, "busy"), "throttled"),
        (model_error(404, "no such model"), "rejected"),
        (model_error(200, "odd"), "unavailable"),
        (Answered(status=200, body=b"body"), "garbage"),
    ],
)
def test_sagemakers_bad_days_are_made_good_by_the_fleet(
    ill: Stack, patient: httpx.Client, refusal: Answered, reason: str
) -> None:
    ill.sagemaker.refusal = refusal
    response = patient.post("/api/cloud/predict", json=HI)
    assert check_ok(response)["output"] == "from second"
    assert response.headers["x-route-fallback"] == f"sagemaker:first-endpoint:{reason}"


def test_what_a_container_finds_wrong_with_a_request_is_the_callers_fault(
    ill: Stack, patient: httpx.Client
) -> None:
    """Nobody else is asked: the second target would refuse it as well."""
    asked = len(ill.engines["second"].requests)
    ill.sagemaker.refusal = model_error(400, '{"error": {"message": "bad", "param": "top_k"}}')
    response = patient.post("/api/cloud/predict", json=HI)
    check_error(response, "invalid_request", "top_k")
    assert len(ill.engines["second"].requests) == asked


def test_sagemaker_gets_a_signed_request_with_the_trace(ill: Stack, patient: httpx.Client) -> None:
    response = patient.post("/api/cloud/predict", json=HI)
    assert check_ok(response)["output"] == "from first"
    asked = ill.sagemaker.asked[-1]
    assert asked.path == "/endpoints/first-endpoint/invocations"
    assert asked.headers["x-amzn-sagemaker-custom-attributes"].startswith("traceparent=00-")
    assert b'"model": "only"' in asked.body


def test_not_ready_is_told_with_the_reason(patient: httpx.Client) -> None:
    response = patient.get("/ready")
    document = response.json()
    assert response.status_code == 503
    assert document["status"] == "not_ready"
    assert document["teams"]["nowhere"]["reason"] == "no target answers for only"
    assert document["teams"]["lone"]["ready"] is True
