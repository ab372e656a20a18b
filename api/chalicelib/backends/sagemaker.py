"""SageMaker endpoints by `InvokeEndpoint`; a container takes the same OpenAI body as an engine."""

import json
from typing import Final

from chalicelib.aws import Aws, error_name
from chalicelib.backends import Call, Reply
from chalicelib.deadline import Deadline
from chalicelib.errors import StoreUnavailable, UpstreamFailure

_THROTTLED: Final = frozenset({"ThrottlingException", "ServiceQuotaExceededException"})
_MODEL_ERROR: Final = 424
_PARTS: Final = {
    "/": "x-amzn-sagemaker-target-variant",
    "#": "x-amzn-sagemaker-inference-component",
}


class SageMakerBackend:
    """`place` is an endpoint, endpoint/production variant, or endpoint#inference component.

    A container answers with its base model whatever `model` the body names, so an adapter is asked
    for as the inference component that it is.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        endpoint, headers = _addressed(place)
        headers |= {"content-type": "application/json", "accept": "application/json"}
        if traceparent := call.headers.get("traceparent"):
            # The only header that SageMaker hands on to the container.
            headers["x-amzn-sagemaker-custom-attributes"] = f"traceparent={traceparent}"
        try:
            reply = self._aws.send(
                "sagemaker-runtime",
                "POST",
                f"/endpoints/{endpoint}/invocations",
                headers,
                call.body,
                deadline,
            )
        except StoreUnavailable as error:  # no credentials
            raise UpstreamFailure("rejected") from error
        if reply.status == 200:  # noqa: PLR2004
            return reply
        name = error_name(reply)
        if name in _THROTTLED:
            raise UpstreamFailure("throttled", status=reply.status)
        if reply.status == _MODEL_ERROR:
            return _models_own(reply.body)
        raise UpstreamFailure(
            "unavailable" if reply.status >= 500 else "rejected",  # noqa: PLR2004
            status=reply.status,
        )


def _addressed(place: str) -> tuple[str, dict[str, str]]:
    """The endpoint, and the header that says which part of it."""
    for mark, header in _PARTS.items():
        endpoint, found, part = place.partition(mark)
        if found:
            return endpoint, {header: part}
    return place, {}


def _models_own(body: bytes) -> Reply:
    """The container's own status and message, which SageMaker wraps in a ModelError."""
    try:
        error = json.loads(body)
        status = int(error["OriginalStatusCode"])
        message = str(error.get("OriginalMessage", ""))
    except (ValueError, KeyError, TypeError):
        raise UpstreamFailure("unavailable", status=_MODEL_ERROR) from None
    return Reply(status=status if status >= 400 else 502, headers={}, body=message.encode())  # noqa: PLR2004
