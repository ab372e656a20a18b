"""InvokeEndpoint: which production variant answers, what reaches its container, what comes back."""

import io
import json
import os
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from sagemaker_models.endpoints import Endpoint
from sagemaker_models.runtime_errors import (
    ACCOUNT,
    MAX_BODY_BYTES,
    RuntimeFailure,
    access_denied,
    model_error,
    timed_out,
    too_large,
    unknown_operation,
    validation_error,
)
from sagemaker_models.signature import SignatureError, check_signature

MODEL_TIMEOUT_S: Final = 60.0  # a container must have answered by then (docs, InvokeEndpoint)
CUSTOM_ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID: Final = "X-Amzn-SageMaker-Inference-Id"
COMPONENT: Final = "X-Amzn-SageMaker-Inference-Component"
ADAPTER: Final = "X-Amzn-SageMaker-Adapter-Identifier"
TARGET_VARIANT: Final = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT: Final = "x-Amzn-Invoked-Production-Variant"
CUSTOM_ATTRIBUTES_LIMIT: Final = 1024
# Custom attributes are the only free-form header SageMaker lets through, so the trace context
# travels in them, and the container's handler puts it back where the engine looks for it.
TRACEPARENT: Final = re.compile(
    r"(?:^|[,; ])traceparent=([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"
)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    endpoints: Mapping[str, Endpoint]
    engines: Path  # gpu_fleet's state file; read at each call, because a fleet may be restarted
    http: aiohttp.ClientSession
    model_timeout_s: float = MODEL_TIMEOUT_S
    chance: random.Random = field(default_factory=random.Random)

    async def invoke(self, request: web.Request) -> web.Response:
        name = request.match_info["endpoint"]
        body = await _signed_body(request, name)
        variant = self._variant(name, request.headers.get(TARGET_VARIANT))
        adapter = self._adapter(name, variant, request.headers.get(COMPONENT))
        engine = self.endpoints[name].variants[variant].engine
        try:
            async with self.http.post(
                f"{self._url_of(engine, name)}/invocations",
                data=io.BytesIO(body),  # aiohttp warns of megabytes of plain bytes
                headers={**_forwarded(request.headers), **adapter},
                timeout=aiohttp.ClientTimeout(total=self.model_timeout_s),
            ) as answer:
                content = await answer.read()
        except TimeoutError as error:
            raise timed_out(name) from error
        except aiohttp.ClientError as error:
            raise model_error(
                name, 0, f"no answer from the container: {type(error).__name__}"
            ) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise model_error(name, answer.status, content.decode(errors="replace"))
        return web.Response(
            body=content,
            headers={
                "Content-Type": answer.headers.get("Content-Type", "application/octet-stream"),
                INVOKED_VARIANT: variant,
                **_kept(answer.headers, CUSTOM_ATTRIBUTES),
            },
        )

    def _variant(self, name: str, target: str | None) -> str:
        if name not in self.endpoints:
            raise validation_error(f"Endpoint {name} of account {ACCOUNT} not found.")
        variants = self.endpoints[name].variants
        if target is None:
            weights = [variant.weight for variant in variants.values()]
            return self.chance.choices(list(variants), weights)[0]
        if target not in variants:
            raise validation_error(
                f"Variant {target} of endpoint {name} of account {ACCOUNT} not found."
            )
        return target

    def _adapter(self, name: str, variant: str, component: str | None) -> dict[str, str]:
        """The header that makes the container answer with an adapter; none for its base."""
        endpoint = self.endpoints[name]
        if bool(component) != bool(endpoint.inference_components):
            rule = "required" if endpoint.inference_components else "not allowed"
            raise validation_error(
                f"Inference Component Name header is {rule} for endpoint {name}."
            )
        if component is None or component == endpoint.variants[variant].engine:
            return {}
        if component not in endpoint.inference_components:
            raise validation_error(f"Inference component {component} not found.")
        return {ADAPTER: component}

    def _url_of(self, engine: str, endpoint: str) -> str:
        try:
            state = json.loads(self.engines.read_text(encoding="utf-8"))
            return str(state["engines"][engine]["url"])
        except (OSError, ValueError, KeyError) as error:
            raise model_error(endpoint, 0, f"engine {engine} does not run") from error


def application(runtime: Runtime) -> web.Application:
    # Some room above the limit, so that a body is refused by SageMaker's rule and words.
    app = web.Application(client_max_size=2 * MAX_BODY_BYTES, middlewares=[_failures])
    app.router.add_post("/endpoints/{endpoint}/invocations", runtime.invoke)
    app.router.add_route("*", "/{path:.*}", _unknown)
    return app


@web.middleware
async def _failures(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RuntimeFailure as failure:
        return failure.response()


async def _unknown(request: web.Request) -> web.Response:
    raise unknown_operation(request.method, request.path)


async def _signed_body(request: web.Request, endpoint: str) -> bytes:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large(endpoint) from error
    try:
        check_signature(request.method, str(request.url), request.headers, body)
    except SignatureError as error:
        raise access_denied(error.code, str(error)) from error
    if len(body) > MAX_BODY_BYTES:
        raise too_large(endpoint)
    return body


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """SageMaker strips every header that its API does not know."""
    attributes = headers.get(CUSTOM_ATTRIBUTES, "")
    if len(attributes) > CUSTOM_ATTRIBUTES_LIMIT or not attributes.isprintable():
        raise validation_error(
            f"customAttributes must be at most {CUSTOM_ATTRIBUTES_LIMIT} visible characters"
        )
    trace = TRACEPARENT.search(attributes)
    key = os.environ.get("VLLM_API_KEY")
    return {
        "Content-Type": headers.get("Content-Type", "application/octet-stream"),
        **_kept(headers, "Accept", CUSTOM_ATTRIBUTES, INFERENCE_ID),
        **({"traceparent": trace[1]} if trace else {}),
        **({"Authorization": f"Bearer {key}"} if key else {}),
    }


def _kept(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
