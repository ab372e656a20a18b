"""The signature is botocore's, character by character."""

import calendar
import time
from typing import Final

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import Credentials, sign

WORD: Final = st.from_regex(r"[A-Za-z0-9/+]{1,40}", fullmatch=True)
HEADER_NAME: Final = st.from_regex(r"x-amz-[a-z-]{1,12}", fullmatch=True)
PRINTABLE: Final = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


def botocores(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
) -> tuple[dict[str, str], float]:
    """Botocore's headers in lower case, and the moment it signed at."""
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    theirs = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    SigV4Auth(theirs, service, region).add_auth(request)
    signed = {name.lower(): value for name, value in request.headers.items()}
    at = calendar.timegm(time.strptime(signed["x-amz-date"], "%Y%m%dT%H%M%SZ"))
    return signed, at


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    host=st.sampled_from(["https://dynamodb.us-west-2.amazonaws.com", "http://127.0.0.1:5000"]),
    path=st.sampled_from(["", "/", "/endpoints/quant-endpoint/invocations"])
    | st.from_regex(r"(/[A-Za-z0-9_.~-]{1,10}){1,3}", fullmatch=True).filter(
        lambda path: "/." not in path
    ),
    headers=st.dictionaries(HEADER_NAME, PRINTABLE, max_size=4),
    body=st.binary(max_size=200),
    access_key=WORD,
    secret_key=WORD,
    token=st.none() | WORD,
    region=st.sampled_from(["us-west-2", "eu-central-1", "cn-north-1"]),
    service=st.sampled_from(["dynamodb", "secretsmanager", "sagemaker"]),
)
def test_any_request_is_signed_as_botocore_signs_it(  # noqa: PLR0913, PLR0917  (all that is signed)
    method: str,
    host: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
    token: str | None,
    region: str,
    service: str,
) -> None:
    headers = {
        name: value
        for name, value in headers.items()
        if name not in {"x-amz-date", "x-amz-security-token"}
    }
    credentials = Credentials(access_key=access_key, secret_key=secret_key, token=token)
    url = host + path
    theirs, at = botocores(method, url, headers, body, credentials, region, service)
    ours = sign(
        method, url, headers, body, credentials=credentials, region=region, service=service, at=at
    )
    assert ours["authorization"] == theirs["authorization"]
    assert ours["x-amz-date"] == theirs["x-amz-date"]
    assert ours.get("x-amz-security-token") == token


@pytest.mark.parametrize("at", [0, 951_782_400, 1_800_000_000.9])
def test_the_date_is_utc_and_whole_seconds(at: float) -> None:
    credentials = Credentials(access_key="a", secret_key="s")
    signed = sign(
        "GET", "https://x/", {}, b"", credentials=credentials, region="r", service="s", at=at
    )
    assert signed["x-amz-date"] == time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    assert signed["host"] == "x"
