"""boto3 raises what SageMaker makes it raise."""

import json
import socket
from pathlib import Path

import pytest

from sagemaker_models.runtime_errors import MAX_BODY_BYTES
from tests.integration.sagemaker_runtime.stand_in import Engine, Serve, failure, invoke


@pytest.mark.parametrize(
    ("endpoint", "fields", "message"),
    [
        ("nobody", {}, "Endpoint nobody of account 123456789012 not found."),
        (
            "quant-endpoint",
            {"TargetVariant": "green"},
            "Variant green of endpoint quant-endpoint of account 123456789012 not found.",
        ),
        (
            "quant-endpoint",
            {"CustomAttributes": "a" * 1025},
            "customAttributes must be at most 1024 visible characters",
        ),
        (
            "finetune-endpoint",
            {},
            "Inference Component Name header is required for endpoint finetune-endpoint.",
        ),
        (
            "finetune-endpoint",
            {"InferenceComponentName": "lora-v9"},
            "Inference component lora-v9 not found.",
        ),
        (
            "quant-endpoint",
            {"InferenceComponentName": "lora-v1"},
            "Inference Component Name header is not allowed for endpoint quant-endpoint.",
        ),
    ],
)
def test_what_is_unknown_or_misfit_is_a_validation_error(
    serve: Serve, engine: Engine, endpoint: str, fields: dict[str, str], message: str
) -> None:
    answer = failure(serve(), endpoint, **fields)
    assert answer["exception"] == "ValidationError"
    assert answer["Error"] == {"Code": "ValidationError", "Message": message}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert engine.asked == []


@pytest.mark.parametrize(("status", "whose"), [(400, "client"), (404, "client"), (500, "server")])
def test_an_engines_error_is_a_model_error_with_what_it_said(
    serve: Serve, engine: Engine, status: int, whose: str
) -> None:
    engine.status, engine.content = status, b'{"error": {"message": "no"}}'
    answer = failure(serve())
    assert answer["exception"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == '{"error": {"message": "no"}}'
    assert answer["Error"]["Message"].startswith(
        f'Received {whose} error ({status}) from primary with message "{{"error": '
    )


def test_an_engine_that_takes_too_long_is_a_model_error(serve: Serve, engine: Engine) -> None:
    engine.hang = True
    answer = failure(serve(model_timeout_s=0.1))
    assert (answer["exception"], answer["OriginalStatusCode"]) == ("ModelError", 0)
    assert answer["OriginalMessage"].startswith("Your invocation timed out while waiting")


def test_an_answer_that_is_cut_off_is_a_model_error(serve: Serve, engine: Engine) -> None:
    engine.cut = True
    answer = failure(serve())
    assert (answer["exception"], answer["OriginalStatusCode"]) == ("ModelError", 0)


def test_an_engine_that_refuses_connections_is_a_model_error(serve: Serve, engines: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    engines.write_text(json.dumps({"engines": {"mistral-7b-awq": {"url": url}}}))
    answer = failure(serve())
    assert (answer["exception"], answer["OriginalStatusCode"]) == ("ModelError", 0)
    assert answer["OriginalMessage"] == "no answer from the container: ClientConnectorError"


def test_a_fleet_that_stopped_is_a_model_error_until_it_is_back(
    serve: Serve, engines: Path
) -> None:
    url, running = serve(), engines.read_text()
    engines.unlink()
    assert failure(url)["OriginalMessage"] == "engine mistral-7b-awq does not run"
    engines.write_text(running)
    assert invoke(url)["InvokedProductionVariant"] == "awq"


def test_a_body_of_6_mb_passes_and_one_byte_more_is_a_model_error(
    serve: Serve, engine: Engine
) -> None:
    url = serve()
    invoke(url, Body=b" " * MAX_BODY_BYTES)
    answer = failure(url, Body=b" " * (MAX_BODY_BYTES + 1))
    assert (answer["exception"], answer["OriginalStatusCode"]) == ("ModelError", 413)
    assert len(engine.asked) == 1
