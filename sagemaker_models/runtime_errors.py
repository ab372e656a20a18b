"""SageMaker's runtime errors, in the bytes that make boto3 raise its own exceptions.

RuntimeFailure
├── access_denied     403, whatever AWS calls it
├── unknown_operation 404
├── validation_error  400 ValidationError
└── model_error       424 ModelError, with what the container said
"""

import json
import uuid
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

# SageMaker's limits: docs, InvokeEndpoint.
MAX_BODY_BYTES: Final = 6 * 1024 * 1024
ACCOUNT: Final = "123456789012"  # moto's
LOGS: Final = "the CloudWatch log group /aws/sagemaker/Endpoints/{endpoint}"


class RuntimeFailure(Exception):  # noqa: N818  (an answer, rather than something broken here)
    def __init__(self, status: int, code: str, body: dict[str, Any]) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.body = body

    def response(self) -> web.Response:
        return web.Response(
            status=self.status,
            body=json.dumps(self.body).encode(),
            content_type="application/json",
            headers={"x-amzn-RequestId": str(uuid.uuid4()), "x-amzn-ErrorType": self.code},
        )


def access_denied(code: str, message: str) -> RuntimeFailure:
    return RuntimeFailure(HTTPStatus.FORBIDDEN, code, {"message": message})


def unknown_operation(method: str, path: str) -> RuntimeFailure:
    return RuntimeFailure(
        HTTPStatus.NOT_FOUND,
        "UnknownOperationException",
        {"message": f"{method} {path}: only InvokeEndpoint is answered on this machine"},
    )


def validation_error(message: str) -> RuntimeFailure:
    return RuntimeFailure(HTTPStatus.BAD_REQUEST, "ValidationError", {"Message": message})


def model_error(endpoint: str, status: int, said: str) -> RuntimeFailure:
    """`status` is the container's, 0 where it gave none: dead, too slow, or cut off."""
    is_client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    whose = "client" if is_client_error else "server"
    return RuntimeFailure(
        HTTPStatus.FAILED_DEPENDENCY,
        "ModelError",
        {
            "ErrorCode": f"{whose.upper()}_ERROR_FROM_MODEL",
            "LogStreamArn": "",
            "Message": f'Received {whose} error ({status}) from primary with message "{said}". '
            f"See {LOGS.format(endpoint=endpoint)} for more information.",
            "OriginalMessage": said,
            "OriginalStatusCode": status,
        },
    )


def timed_out(endpoint: str) -> RuntimeFailure:
    return model_error(
        endpoint,
        0,
        "Your invocation timed out while waiting for a response from container primary. Review "
        "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try "
        "again.",
    )


def too_large(endpoint: str) -> RuntimeFailure:
    return model_error(
        endpoint, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body exceeds {MAX_BODY_BYTES} bytes"
    )
