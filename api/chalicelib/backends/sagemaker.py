"""SageMaker endpoints by `InvokeEndpoint`; a container takes the same OpenAI body as an engine."""

import json
from collections.abc import Container
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
    for as the inference component that it is. A deployed name has the stage's `prefix`; a base
    signs its answers with the name of one of the `engines`.
    """

    def __init__(self, aws: Aws, *, prefix: str = "", engines: Container[str] = ()) -> None:
        self._aws = aws
        self._prefix = prefix
        self._engines = engines

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        endpoint, component, headers = self._addressed(place)
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
            return self._signed(reply, component) if component and self._prefix else reply
        name = error_name(reply)
        if name in _THROTTLED:
            raise UpstreamFailure("throttled", status=reply.status)
        if reply.status == _MODEL_ERROR:
            return _models_own(reply.body)
        raise UpstreamFailure(
            "unavailable" if reply.status >= 500 else "rejected",  # noqa: PLR2004
            status=reply.status,
        )

    def _addressed(self, place: str) -> tuple[str, str, dict[str, str]]:
        """The deployed endpoint, the component, and the header that says which part of it."""
        for mark, header in _PARTS.items():
            endpoint, found, part = place.partition(mark)
            if found:
                component = part if mark == "#" else ""
                deployed = self._prefix + part if component else part
                return self._prefix + endpoint, component, {header: deployed}
        return self._prefix + place, "", {}

    def _signed(self, reply: Reply, component: str) -> Reply:
        """With the component's name for what SageMaker registered it as: an identifier of its own.

        What bears an engine's name came from a base, and is left for `wrong_model`.
        """
        try:
            document = json.loads(reply.body)
        except ValueError:
            return reply
        model = document.get("model") if isinstance(document, dict) else None
        if not isinstance(model, str) or model == component or model in self._engines:
            return reply
        return reply._replace(body=json.dumps({**document, "model": component}).encode())


def _models_own(body: bytes) -> Reply:
    """The container's own status and message, which SageMaker wraps in a ModelError."""
    try:
        error = json.loads(body)
        status = int(error["OriginalStatusCode"])
        message = str(error.get("OriginalMessage", ""))
    except (ValueError, KeyError, TypeError):
        raise UpstreamFailure("unavailable", status=_MODEL_ERROR) from None
    return Reply(status=status if status >= 400 else 502, headers={}, body=message.encode())  # noqa: PLR2004
