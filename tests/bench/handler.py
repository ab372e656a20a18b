"""The Lambda's handler as API Gateway calls it."""

import json
from typing import Any


class LambdaContext:
    function_name = "gateway"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:gateway"
    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def predict_event(team: str, prompt: str = "What is 2+2?") -> dict[str, Any]:
    """A `predict` behind the authorizer, with a session so that the variant is always the same."""
    body = {"prompt": prompt, "max_tokens": 20, "session_id": "bench"}
    return {
        "multiValueQueryStringParameters": None,
        "headers": {"content-type": "application/json", "x-correlation-id": "bench-1"},
        "pathParameters": {"team": team},
        "stageVariables": None,
        "isBase64Encoded": False,
        "body": json.dumps(body),
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/api/{team}/predict",
            "authorizer": {
                "key_id": "0123456789ab",
                "teams": "finetune quant",
                "scopes": "invoke pin",
                "principalId": "0123456789ab",
            },
        },
    }
