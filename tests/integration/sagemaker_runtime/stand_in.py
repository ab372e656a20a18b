"""What the tests ask the stand-in with, and the small engine behind it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


@dataclass
class Engine:
    """What the small engine was asked, and what it answers."""

    url: str = ""
    status: int = 200
    content: bytes = b'{"choices": []}'
    hang: bool = False
    cut: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


Serve = Callable[..., str]


def client(url: str, **keys: str) -> "SageMakerRuntimeClient":
    return boto3.Session().client(
        "sagemaker-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        config=Config(retries={"total_max_attempts": 1}),
        **cast("Any", keys),
    )


def invoke(url: str, endpoint: str = "quant-endpoint", **fields: object) -> dict[str, Any]:
    return cast(
        "dict[str, Any]",
        client(url).invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            **cast("Any", {"Body": b"{}", **fields}),
        ),
    )


def failure(url: str, endpoint: str = "quant-endpoint", **fields: object) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        invoke(url, endpoint, **fields)
    answer = cast("dict[str, Any]", error.value.response)
    answer["exception"] = type(error.value).__name__
    return answer


async def post(
    url: str, headers: dict[str, str], path: str = "/endpoints/quant-endpoint/invocations"
) -> tuple[int, str, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(url + path, data=b"{}", headers=headers) as answer,
    ):
        return answer.status, answer.headers["x-amzn-ErrorType"], await answer.json()
