"""Real processes that hang."""

import time

import pytest

from tests.e2e.platform import Platform, frozen
from tests.support.contract import check_error, check_ok

pytestmark = pytest.mark.engines


def test_an_engine_stands_in_for_an_endpoint_that_hangs(platform: Platform) -> None:
    """Quant goes through SageMaker first; then its engine is asked, and the header says so."""
    with frozen(platform.process("sagemaker_models.runtime")):
        response = platform.predict("quant")

    answer = check_ok(response)
    assert "4" in answer["output"]
    assert response.headers["x-route-target"] == answer["target"] == "vllm:mistral-7b-awq"
    assert response.headers["x-route-fallback"] == "sagemaker:quant-endpoint:timeout"


def test_an_only_engine_that_hangs_is_an_error_in_time(platform: Platform) -> None:
    """Reference has 30 s; nobody else may answer for it."""
    began = time.monotonic()
    with frozen(platform.process("api_server", "--served-model-name=mistral-7b-fp16")):
        response = platform.predict("reference", key="quant")
    took = time.monotonic() - began

    check_error(response, "upstream_timeout")
    assert response.status_code == 504
    assert 29 < took < 32
    assert "4" in check_ok(platform.predict("reference", key="quant"))["output"]
