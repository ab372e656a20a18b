"""What the gateway adds to a call: handler and bare call in turn, in one process.

vLLM path: the bare call uses the gateway's own client. SageMaker path: the bare call is boto3's
`invoke_endpoint`. Logs, metrics and spans are on; spans go to a sink that forgets them.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import boto3

import app
from chalicelib.deadline import Deadline
from tests.bench.handler import LambdaContext, predict_event

ROUNDS = 7
CALLS = 1000
WARM_UP = 300


def main() -> None:
    printed = sys.stdout
    with Path("/dev/null").open("w") as nowhere:
        sys.stdout = nowhere
        figures = {
            "vllm": measure("finetune", bare_vllm()),
            "sagemaker": measure("quant", bare_boto3()),
        }
    sys.stdout = printed
    print(json.dumps(figures))  # noqa: T201


def measure(team: str, bare: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds over the bare call: medians over the rounds of each round's p50 and p99."""
    context = LambdaContext()

    def handler() -> None:
        response = app.app(events.pop(), context)
        if response["statusCode"] != 200:
            raise RuntimeError(response["body"])

    rounds = []
    for _ in range(ROUNDS + 1):
        events = [predict_event(team) for _ in range(CALLS + WARM_UP)]
        for _ in range(WARM_UP):
            bare()
            handler()
        rounds.append(in_turn(bare, handler))
    rounds = rounds[1:]
    return {
        "bare_p50": median(percentile(b, 50) for b, _ in rounds),
        "p50": median(percentile(h, 50) - percentile(b, 50) for b, h in rounds),
        "p99": median(percentile(h, 99) - percentile(b, 99) for b, h in rounds),
    }


def in_turn(bare: Callable[[], Any], handler: Callable[[], Any]) -> tuple[list[float], list[float]]:
    bare_ms, handler_ms = [], []
    for _ in range(CALLS):
        bare_ms.append(timed(bare))
        handler_ms.append(timed(handler))
    return bare_ms, handler_ms


def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def percentile(values: list[float], per_cent: int) -> float:
    return sorted(values)[len(values) * per_cent // 100]


def bare_vllm() -> Callable[[], Any]:
    gateway = app.gateway
    url = gateway.settings.engine_urls["mistral-7b-lora"] + "/v1/chat/completions"
    body = engine_body("lora-v1")
    headers = {"content-type": "application/json"}

    def call() -> Any:  # noqa: ANN401
        deadline = Deadline.after(5)
        return gateway.connections.request(
            "POST", url, headers=headers, body=body, deadline=deadline
        )

    return call


def bare_boto3() -> Callable[[], Any]:
    client = boto3.client("sagemaker-runtime")
    body = engine_body("mistral-7b-awq")

    def ask() -> Any:  # noqa: ANN401  (boto3 makes its answers at run time)
        reply = client.invoke_endpoint(
            EndpointName="quant-endpoint", ContentType="application/json", Body=body
        )
        return reply["Body"].read()

    return ask


def engine_body(model: str) -> bytes:
    message = {"role": "user", "content": "What is 2+2?"}
    body = {"model": model, "messages": [message], "max_tokens": 20, "temperature": 0.7}
    return json.dumps(body).encode()


if __name__ == "__main__":
    main()
