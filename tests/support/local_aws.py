"""AWS by moto, in this process, on a free port."""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

API: Final = Path(__file__).parents[2] / "api"
REGION: Final = "us-west-2"
PEPPER_SECRET: Final = "llmo/key-pepper"
PEPPER: Final = "a-pepper-for-tests"
ENGINE_KEY: Final = "an-engine-key-for-tests"
"""What each engine's key begins with."""
_CREDENTIALS: Final = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "made-up"}

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAws:
    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401  (boto3 makes clients at run time)
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.url, region_name=REGION, **_CREDENTIALS
        )

    def tables(self) -> dict[str, str]:
        """Fresh tables from the deployed template, as the gateway's environment names them."""
        prefix = f"t{secrets.token_hex(6)}"
        self.client("cloudformation").create_stack(
            StackName=prefix,
            TemplateBody=(API / "tables.template.json").read_text("utf-8"),
            Parameters=[{"ParameterKey": "Prefix", "ParameterValue": prefix}],
        )
        return {
            f"{kind.upper()}_TABLE": f"{prefix}-{kind}" for kind in ("keys", "routing", "audit")
        }

    def env(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": _CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": _CREDENTIALS["aws_secret_access_key"],
            "PEPPER_SECRET": PEPPER_SECRET,
        }

    def items(self, table: str) -> list[dict[str, Any]]:
        """All that a table holds, as DynamoDB writes it."""
        found: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=table)["Items"]
        return found


def template() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((API / "tables.template.json").read_text("utf-8"))
    return found


@contextmanager
def running() -> Iterator[LocalAws]:
    """moto's conditional writes are not atomic under threads, DynamoDB's are: one at a time."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line a request
    application = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="moto")
    thread.start()
    try:
        aws = LocalAws(url=f"http://127.0.0.1:{server.server_port}")
        store = aws.client("secretsmanager")
        store.create_secret(Name=PEPPER_SECRET, SecretString=PEPPER)
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _one_at_a_time(application: Wsgi) -> Wsgi:
    lock = threading.Lock()

    def locked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
        with lock:
            return list(application(environ, start_response))

    return locked
