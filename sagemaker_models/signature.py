"""Is a request signed as SageMaker demands (AWS Signature Version 4)?"""

import hmac
import os
import re
from collections.abc import Mapping
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE: Final = "sagemaker"
AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access_key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9-]+)/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;-]+), *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """`code` is AWS's name for what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_signature(method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raises SignatureError.

    The one caller there is has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this process's own
    environment; where those are not set, any signature for SageMaker will do.
    """
    authorization = headers.get("Authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256"):
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = AUTHORIZATION.fullmatch(authorization)
    if parts is None or "X-Amz-Date" not in headers:
        raise SignatureError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' "
            "parameters, and an 'X-Amz-Date' header",
        )
    if parts["service"] != SERVICE:
        raise SignatureError(
            "InvalidSignatureException",
            f"Credential should be scoped to correct service: '{SERVICE}'.",
        )
    access_key, secret = map(os.environ.get, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    if access_key and secret:
        if parts["access_key"] != access_key:
            raise SignatureError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        signed = {name: headers.get(name, "") for name in parts["headers"].split(";")}
        expected = _signature(method, url, signed, body, parts, secret)
        if not hmac.compare_digest(expected, parts["signature"]):
            raise SignatureError(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            )


def _signature(
    method: str,
    url: str,
    signed: Mapping[str, str],
    body: bytes,
    parts: "re.Match[str]",
    secret: str,
) -> str:
    signer = SigV4Auth(Credentials(parts["access_key"], secret), SERVICE, parts["region"])
    request = AWSRequest(method=method, url=url, headers=dict(signed), data=body)
    request.context["timestamp"] = signed.get("x-amz-date", "")
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(to_sign, request))
