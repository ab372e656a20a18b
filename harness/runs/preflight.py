"""What has to be so before a run is begun, and before anything of it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from harness.errors import GatewayError, WrongInput
from harness.load.items import Items
from harness.plan import Plan
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row

_TIMEOUT_S: Final = 15.0
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Served:
    """Models that a server knows, with the longest context of each where it tells that."""

    url: str
    models: Mapping[str, int | None]

    def chosen(self, model: str | None) -> str:
        """`model`, or the first one there is. Raises WrongInput for one that isn't served."""
        if model is None:
            if not self.models:
                raise GatewayError(f"{self.url} serves no model")
            return next(iter(self.models))
        if model not in self.models:
            names = sorted(self.models)
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise WrongInput(
                f"{self.url} knows no model {model!r}, or the key may not ask for it; "
                f"there are {', '.join(names[:_SHOWN])}{more}"
            )
        return model


def served(url: str, key: str) -> Served:
    """Raises GatewayError, with what to do, where the server can't be asked."""
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = client.get(f"{url}/v1/models", headers={"Authorization": f"Bearer {key}"})
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise GatewayError(
            f"{url} does not answer ({type(error).__name__}): is it running? "
            "'make up' starts the local stack"
        ) from None
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise GatewayError(
            f"{url} refuses the key (HTTP {answer.status_code}): is that in LLMO_API_KEY another's?"
        )
    if answer.status_code != httpx.codes.OK:
        raise GatewayError(
            f"{url}/v1/models answers with HTTP {answer.status_code}: is it the right address?"
        )
    try:
        return Served(url, _models(answer.json()))
    except (ValueError, KeyError, TypeError):
        raise GatewayError(
            f"{url}/v1/models doesn't list models: is it the right address?"
        ) from None


def check(plan: Plan, rows: Sequence[Row], manifest: Manifest, context: int | None) -> None:
    """Raises PlanError, PromptsetError or WrongInput for a run that can't come to anything.

    `context`: tokens that the model can read and write together, where that is known.
    """
    planned = Items(plan, rows).planned
    if planned is not None and planned <= plan.first_measured:
        raise WrongInput(
            f"a warm-up of {plan.first_measured:,} leaves nothing of {planned:,} requests to "
            "measure"
        )
    tokens = manifest.tokens
    if context is None or tokens is None:
        return
    asked = plan.generation.max_tokens
    needed = tokens.max_with_answer if asked is None else tokens.max + asked
    if needed > context and len(rows) == manifest.count:
        raise WrongInput(
            f"promptset {manifest.name} needs {needed:,} tokens for its longest row; the model "
            f"has {context:,}: choose a bucket, or lower --max-tokens"
        )


def _models(document: dict[str, Any]) -> dict[str, int | None]:
    return {str(model["id"]): model.get("max_model_len") for model in document["data"]}
