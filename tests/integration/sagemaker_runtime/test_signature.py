"""Only who signs for SageMaker is answered."""

import asyncio

import pytest
from botocore.exceptions import ClientError

from tests.integration.sagemaker_runtime.stand_in import Engine, Serve, client, post

SCOPE = "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1/{service}/aws4_request, "
REST = "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"Authorization": "Bearer x"}, "MissingAuthenticationTokenException"),
        ({"Authorization": "AWS4-HMAC-SHA256 x"}, "IncompleteSignatureException"),
        (
            {
                "Authorization": SCOPE.format(service="execute-api") + REST,
                "X-Amz-Date": "20261123T000000Z",
            },
            "InvalidSignatureException",
        ),
    ],
)
def test_a_request_that_is_not_signed_for_sagemaker_is_denied(
    serve: Serve, engine: Engine, headers: dict[str, str], code: str
) -> None:
    status, error_type, body = asyncio.run(post(serve(), headers))
    assert (status, error_type) == (403, code)
    assert body["message"]
    assert engine.asked == []


def test_a_signature_made_with_another_secret_is_denied(serve: Serve, engine: Engine) -> None:
    forger = client(serve(), aws_access_key_id="testing", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        forger.invoke_endpoint(EndpointName="quant-endpoint", Body=b"{}")
    assert engine.asked == []


def test_a_signature_of_an_unknown_caller_is_denied(serve: Serve, engine: Engine) -> None:
    stranger = client(serve(), aws_access_key_id="stranger", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.invoke_endpoint(EndpointName="quant-endpoint", Body=b"{}")
    assert engine.asked == []


def test_other_operations_are_unknown(serve: Serve) -> None:
    path = "/endpoints/quant-endpoint/async-invocations"
    status, error_type, _ = asyncio.run(post(serve(), {}, path))
    assert (status, error_type) == (404, "UnknownOperationException")
