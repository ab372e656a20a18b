"""A Lambda's life up to its first answer: import, initialise, one request on the vLLM path."""

import app
from tests.bench.handler import LambdaContext, predict_event

response = app.app(predict_event("finetune"), LambdaContext())
if response["statusCode"] != 200:
    raise RuntimeError(response["body"])
