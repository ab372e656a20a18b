"""The AWS seam: signed JSON calls to the few services that a request needs.

boto3 would cost more CPU at a cold start than everything else together, and most of a millisecond
more per call (ADR 2). What is needed of it is small: Signature Version 4, temporary credentials of
the Lambda's environment, and the error's name. The signature is checked against botocore's in the
tests.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from chalicelib.connections import Connections, Reply
from chalicelib.deadline import Deadline
from chalicelib.errors import StoreUnavailable, UpstreamFailure

JSON_PROTOCOLS: Final[Mapping[str, tuple[str, str]]] = {
    # service: (target prefix, JSON version)
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "secretsmanager": ("secretsmanager", "1.1"),
    "sagemaker": ("SageMaker", "1.1"),
}
_VARIABLES: Final = {
    "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "secretsmanager": "SECRETS_MANAGER",
}
_HOSTS: Final = {"sagemaker": "api.sagemaker", "sagemaker-runtime": "runtime.sagemaker"}
_THROTTLED: Final = frozenset(
    {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
)
CALL_S: Final = 2.0
"""The longest a store is waited for: what it holds has a fallback, or the caller is told."""


class AwsError(Exception):
    """The service refused: its error's name and nothing else that it said."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"{name} ({status})")
        self.name = name
        self.status = status


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None


class Aws:
    """Signed calls to one region."""

    def __init__(
        self,
        env: Mapping[str, str],
        connections: Connections,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._env = env
        self._connections = connections
        self._clock = clock
        self.region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-west-2"

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        seconds: float = CALL_S,
    ) -> dict[str, Any]:
        """One operation of a JSON-protocol service; tried twice, within `seconds`.

        Raises:
            AwsError: the service refused.
            StoreUnavailable: it could not be asked, or is throttling.
        """
        prefix, version = JSON_PROTOCOLS[service]
        headers = {
            "content-type": f"application/x-amz-json-{version}",
            "x-amz-target": f"{prefix}.{operation}",
        }
        body = json.dumps(parameters, separators=(",", ":")).encode()
        deadline = Deadline.after(seconds)
        for last in (False, True):
            try:
                reply = self.send(service, "POST", "/", headers, body, deadline)
            except UpstreamFailure as failure:
                if last or deadline.passed:
                    raise StoreUnavailable(f"{service} {operation}: {failure.reason}") from None
                continue
            if reply.status == 200:  # noqa: PLR2004
                return _document(reply, f"{service} {operation}")
            name = error_name(reply)
            if reply.status < 500 and name not in _THROTTLED:  # noqa: PLR2004
                raise AwsError(name, reply.status)
            if last:
                raise StoreUnavailable(f"{service} {operation}: {name}")
        raise AssertionError  # pragma: no cover  (the loop always ends above)

    def send(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Reply:
        """One signed request, unjudged.

        Raises:
            UpstreamFailure: no complete reply came in time.
        """
        url = self.endpoint(service) + path
        signed = sign(
            method,
            url,
            headers,
            body,
            credentials=self._credentials(),
            region=self.region,
            service="sagemaker" if service.startswith("sagemaker") else service,
            at=self._clock(),
        )
        return self._connections.request(method, url, headers=signed, body=body, deadline=deadline)

    def endpoint(self, service: str) -> str:
        """The service's address, which `AWS_ENDPOINT_URL[_<SERVICE>]` overrides as in the SDKs."""
        variable = f"AWS_ENDPOINT_URL_{_VARIABLES.get(service, service.upper())}"
        if given := self._env.get(variable) or self._env.get("AWS_ENDPOINT_URL"):
            return given.rstrip("/")
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://{_HOSTS.get(service, service)}.{self.region}.{suffix}"

    def _credentials(self) -> Credentials:
        try:
            return Credentials(
                access_key=self._env["AWS_ACCESS_KEY_ID"],
                secret_key=self._env["AWS_SECRET_ACCESS_KEY"],
                token=self._env.get("AWS_SESSION_TOKEN"),
            )
        except KeyError as missing:
            raise StoreUnavailable(f"no AWS credentials: {missing.args[0]} is not set") from None


def _document(reply: Reply, asked: str) -> dict[str, Any]:
    try:
        document = json.loads(reply.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):  # something else answers at that address
        raise StoreUnavailable(f"{asked}: garbage")
    return document


def error_name(reply: Reply) -> str:
    """The error's name, from the header or the body, without its namespace."""
    name = reply.headers.get("x-amzn-errortype", "")
    if not name:
        try:
            document = json.loads(reply.body)
            name = str(document.get("__type") or document.get("code") or "")
        except (ValueError, AttributeError):
            name = ""
    return name.partition(":")[0].rpartition("#")[2] or f"HTTP{reply.status}"


def sign(  # noqa: PLR0913
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    at: float,
) -> dict[str, str]:
    """`headers` with an AWS Signature Version 4 over method, URL, headers and body.

    Header names must be in lower case. `at` is in seconds since the epoch.
    """
    parts = urlsplit(url)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    signed = {**headers, "host": parts.netloc, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/~"),
            parts.query,
            *(f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(
        ("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = b"AWS4" + credentials.secret_key.encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed
