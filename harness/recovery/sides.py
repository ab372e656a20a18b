"""Where the two models are, with which key they are asked, and whether they answer at all."""

from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from harness.errors import GatewayError, WrongInput
from harness.recovery.plan import Side
from harness.stage import Stage, key_for

_WEIGHTS: Final = ("*.safetensors", "*.bin", "*.gguf")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_OK: Final = 200
_SERVERS_FAULT: Final = 500


def authorization(side: Side, stage: Stage | None) -> dict[str, str]:
    """Raises NoStackError where there is no key for it."""
    known = stage.key_at(side.url, side.model) if stage else None
    key = known or key_for(side.url, side.model, Stage.of_local())
    return {"Authorization": f"Bearer {key}"}


def client(*sides: Side, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """What stays on this machine doesn't go through a proxy."""
    local = all(httpx.URL(side.url).host in _LOOPBACK for side in sides)
    return httpx.AsyncClient(
        timeout=timeout_s,
        trust_env=not local,
        limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
    )


async def met(http: httpx.AsyncClient, side: Side, stage: Stage | None) -> Side:
    """The side as it answers: a model asked for by an address alone gets its name here.

    Raises GatewayError where nobody answers, WrongInput where the model or the key isn't known. A
    server that fails is no reason to stop: that is what the report is there to say.
    """
    headers = authorization(side, stage)
    if not side.model:
        side = msgspec.structs.replace(side, model=await _only_model(http, side, headers))
    body = {
        "model": side.model,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 1,
        "temperature": 0,
    }
    response = await _ask(http, "POST", f"{side.url}/v1/chat/completions", headers, body)
    if response.status_code >= _SERVERS_FAULT:
        return side
    if response.status_code != _OK:
        raise WrongInput(f"{side.model} at {side.url}: {_told(response)}")
    # Engines know log-probabilities of prompts by another path, the first time slowly.
    scored = {"model": side.model, "prompt": "Hello", "max_tokens": 1, "prompt_logprobs": 1}
    await _ask(http, "POST", f"{side.url}/v1/completions", headers, scored)
    return await _with_engine(http, side, stage, str(_document(response).get("model", "")))


def weights(path: Path) -> int:
    """Bytes of the weights in a model's folder. Raises WrongInput where there are none."""
    files = [file for pattern in _WEIGHTS for file in path.glob(pattern)]
    if not files:
        raise WrongInput(f"{path} holds no weights ({', '.join(_WEIGHTS)})")
    return sum(file.stat().st_size for file in files)


async def _with_engine(
    http: httpx.AsyncClient, side: Side, stage: Stage | None, served: str
) -> Side:
    """With what can be known of the engine behind it, by the name that it signs answers with."""
    if stage is None or side.url != stage.gateway_url:
        return msgspec.structs.replace(side, metrics_url=side.url)
    engines = stage.engines
    if served not in engines:
        return side
    side = msgspec.structs.replace(side, metrics_url=engines[served])
    if side.weights_bytes is not None:
        return side
    key = {"Authorization": f"Bearer {stage.engine_api_key}"}
    listed = _document(await _ask(http, "GET", f"{engines[served]}/v1/models", key))
    roots = [str(one.get("root")) for one in listed.get("data", ()) if one.get("id") == served]
    return msgspec.structs.replace(side, weights_bytes=_size(*roots))


def _size(*roots: str) -> int | None:
    """Of a model whose folder this machine has; None of any other."""
    try:
        return sum(weights(Path(root)) for root in roots) or None
    except WrongInput:
        return None


async def _only_model(http: httpx.AsyncClient, side: Side, headers: dict[str, str]) -> str:
    response = await _ask(http, "GET", f"{side.url}/v1/models", headers)
    if response.status_code != _OK:
        raise WrongInput(f"{side.url}: {_told(response)}")
    models = _document(response).get("data") or []
    if not models:
        raise WrongInput(f"{side.url} names no model: say which one to ask")
    return str(models[0]["id"])


async def _ask(
    http: httpx.AsyncClient, method: str, url: str, headers: dict[str, str], body: object = None
) -> httpx.Response:
    try:
        return await http.request(method, url, headers=headers, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayError(
            f"{url} does not answer ({type(error).__name__}): is it running, and is this its "
            "address?"
        ) from None


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _told(response: httpx.Response) -> str:
    error = _document(response).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return f"{response.status_code} {message or ''}".strip()
