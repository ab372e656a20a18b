"""What stays of 100,000 requests through one handler, the fake engine on the other end."""

import gc
import json
import sys
from pathlib import Path

import app
from tests.bench.handler import LambdaContext, predict_event

REQUESTS = 100_000
WARM_UP = 5_000


def main() -> None:
    printed = sys.stdout
    with Path("/dev/null").open("w") as nowhere:
        sys.stdout = nowhere
        ask(WARM_UP)
        before = resident_mb()
        ask(REQUESTS)
        grown = resident_mb() - before
    sys.stdout = printed
    print(json.dumps({"grown_mb": grown}))  # noqa: T201


def ask(requests: int) -> None:
    context = LambdaContext()
    for number in range(requests):
        event = predict_event("finetune", prompt=f"What is {number}+2?")
        if app.app(event, context)["statusCode"] != 200:
            raise RuntimeError("the fake engine did not answer")


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    main()
