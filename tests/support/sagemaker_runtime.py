"""`InvokeEndpoint` in front of fake engines, as far as the gateway can tell."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from tests.support.http_server import Answered, Asked, serving

_PATH: Final = re.compile(r"/endpoints/([A-Za-z0-9-]+)/invocations")
_SIGNED: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/sagemaker/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]*host;[a-z0-9;-]*x-amz-date[a-z0-9;-]*, Signature=[0-9a-f]{64}"
)


@dataclass(slots=True, kw_only=True)
class SageMakerRuntime:
    """Endpoints by name; `refusal`, while set, is what every endpoint answers."""

    engines: Mapping[str, str]
    url: str = ""
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=1000))
    refusal: Answered | None = None

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        match = _PATH.fullmatch(asked.path)
        if not _SIGNED.fullmatch(asked.headers.get("authorization", "")):
            return refused(403, "MissingAuthenticationTokenException")
        if not match or match[1] not in self.engines:
            return refused(400, "ValidationError")
        if self.refusal:
            return self.refusal
        reply = httpx.post(
            f"{self.engines[match[1]]}/invocations",
            content=asked.body,
            headers={"content-type": asked.headers["content-type"]},
            timeout=10,
        )
        if reply.is_success:
            return Answered(body=reply.content)
        return model_error(reply.status_code, reply.text)


def refused(status: int, name: str) -> Answered:
    return Answered(
        status=status,
        headers={"Content-Type": "application/json", "x-amzn-ErrorType": f"{name}:http://x/"},
        body=b'{"Message":"no"}',
    )


def model_error(status: int, message: str) -> Answered:
    """A container's own refusal, wrapped as SageMaker wraps it."""
    wrapped = {"OriginalStatusCode": status, "OriginalMessage": message, "ErrorCode": "x"}
    return Answered(
        status=424,
        headers={"Content-Type": "application/json", "x-amzn-ErrorType": "ModelError"},
        body=json.dumps(wrapped).encode(),
    )


@contextmanager
def running(engines: Mapping[str, str]) -> Iterator[SageMakerRuntime]:
    runtime = SageMakerRuntime(engines=engines)
    with serving(runtime.answer) as url:
        runtime.url = url
        yield runtime
