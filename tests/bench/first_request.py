"""A Lambda's life up to its first answer: import, initialise, one request on the vLLM path."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import app
from tests.bench.handler import LambdaContext, predict_event

response = app.app(predict_event("finetune"), LambdaContext())
if response["statusCode"] != 200:
    raise RuntimeError(response["body"])
