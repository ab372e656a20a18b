"""The kinds of API that can be asked: where, with what body, and how their answers are read.

Another kind is another entry of APIS.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from harness.errors import PlanError
from harness.load.answers import Answer, Parse, predicted, whole
from harness.load.events import streamed
from harness.load.item import Item
from harness.plan import Arm, Generation

Body = dict[str, Any]
ParseStream = Callable[[Sequence[int], Sequence[bytes]], Answer]


@dataclass(frozen=True, kw_only=True)
class Api:
    path: Callable[[Arm], str]
    body: Callable[[Item, Generation, str], Body]
    """From the item, how to generate, and what every prompt begins with."""
    whole: Parse
    streamed: ParseStream | None
    """None: this API answers whole only."""


def _limits(item: Item, generation: Generation) -> Body:
    sampling: Body = {
        "max_tokens": generation.max_tokens or item.row.max_tokens,
        "temperature": generation.temperature,
    }
    return sampling | ({"seed": item.seed} if generation.seeded else {})


def _messages(item: Item, prefix: str) -> list[Body]:
    turns = [{"role": turn.role, "content": turn.content} for turn in item.row.turns]
    turns[0]["content"] = prefix + turns[0]["content"]
    return turns


def _streaming(item: Item) -> Body:
    if not item.arm.stream:
        return {}
    return {"stream": True, "stream_options": {"include_usage": True}}


def _chat(item: Item, generation: Generation, prefix: str) -> Body:
    return {
        "model": item.arm.model,
        "messages": _messages(item, prefix),
        **_limits(item, generation),
        **_streaming(item),
        **generation.extra,
    }


def _completion(item: Item, generation: Generation, prefix: str) -> Body:
    return {
        "model": item.arm.model,
        "prompt": prefix + "\n".join(turn.content for turn in item.row.turns),
        **_limits(item, generation),
        **_streaming(item),
        **generation.extra,
    }


def _predict(item: Item, generation: Generation, prefix: str) -> Body:
    _, _, variant = item.arm.model.partition("/")
    return {
        "messages": _messages(item, prefix),
        **_limits(item, generation),
        **({"variant": variant} if variant else {}),
        **({"model_params": generation.extra} if generation.extra else {}),
    }


def _team(arm: Arm) -> str:
    return quote(arm.model.partition("/")[0], safe="")


APIS: Final[Mapping[str, Api]] = {
    "predict": Api(
        path=lambda arm: f"/api/{_team(arm)}/predict",
        body=_predict,
        whole=predicted,
        streamed=None,
    ),
    "chat": Api(path=lambda _: "/v1/chat/completions", body=_chat, whole=whole, streamed=streamed),
    "completions": Api(
        path=lambda _: "/v1/completions", body=_completion, whole=whole, streamed=streamed
    ),
}


def check_arms(arms: Sequence[Arm]) -> None:
    """Raises PlanError where one can't be asked, and says what can."""
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        raise PlanError(f"plan: both arms are named {names[0]!r}: records could not be told apart")
    for arm in arms:
        where = f"plan: arm {arm.name!r}"
        if arm.api not in APIS:
            raise PlanError(f"{where}: api {arm.api!r} is none of {', '.join(APIS)}")
        if arm.stream and APIS[arm.api].streamed is None:
            able = ", ".join(name for name, api in APIS.items() if api.streamed)
            raise PlanError(f"{where}: {arm.api} answers whole only; {able} can stream")
        _check_url(where, arm.url)


def _check_url(where: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        more = parts.query or parts.fragment or "@" in parts.netloc
    except ValueError:
        usable = more = False
    if more:  # which is not repeated: it may hold a password
        raise PlanError(f"{where}: the url holds more than a host, a port and a path")
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise PlanError(f"{where}: url {url!r} is not like http://127.0.0.1:8000")
