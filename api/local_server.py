"""The gateway on this machine: Chalice's local server, answering where API Gateway would.

    python local_server.py [--port 0] [--url-file FILE]

Some answers never come from the Lambda: a missing key, an unknown path, an authorizer that fails.
API Gateway takes them from `gateway_responses.json`, and so does this server.
"""

import argparse
import contextlib
import json
import re
import secrets
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    InvalidAuthorizerError,
    LocalChalice,
    LocalDevServer,
    LocalGatewayException,
    NotAuthorizedError,
    ThreadedHTTPServer,
)

from chalicelib.errors import ConfigError

_HERE: Final = Path(__file__).parent
_MAX_BODY: Final = 10 * 1024 * 1024  # API Gateway's
_IDLE_S: Final = 120
_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class Handler(ChaliceRequestHandler):
    """One connection; its errors have the contract's shape."""

    # Headers and body are two writes: without this each answer waits for a delayed acknowledgement.
    disable_nagle_algorithm = True
    timeout = _IDLE_S
    responses_by_kind: dict[str, dict[str, Any]] = json.loads(
        (_HERE / "gateway_responses.json").read_text("utf-8")
    )

    def _generic_handle(self) -> None:
        length, *others = self.headers.get_all("content-length", ["0"])
        if self.headers.get("transfer-encoding") or others or not _LENGTH.fullmatch(length):
            self._refuse("DEFAULT_4XX")
            return
        if int(length) > _MAX_BODY:
            self._refuse("REQUEST_TOO_LARGE")
            return
        try:
            super()._generic_handle()
        except (ConnectionError, TimeoutError):  # the caller hung up, or sends no more
            self.close_connection = True
        except Exception as error:  # noqa: BLE001  (as API Gateway treats an authorizer's failure)
            self.log_error("authorizer failed: %s", type(error).__name__)
            self._refuse("AUTHORIZER_FAILURE", keep=True)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815

    def _parse_payload(self) -> tuple[dict[str, Any], bytes | None]:
        headers, body = super()._parse_payload()
        # The header's name is matched exactly by the local authorizer.
        for name in list(headers):
            if name.lower() == "authorization":
                headers["authorization"] = headers.pop(name)
        return headers, body

    def _send_http_response(self, code: int, headers: Any, body: Any) -> None:  # noqa: ANN401
        super()._send_http_response(code, headers, body if self.command != "HEAD" else None)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP, too long or an unknown method; the base class would answer in HTML."""
        del message, explain
        self.request_version = self.protocol_version  # or there would be no status line
        unknown = code == HTTPStatus.NOT_IMPLEMENTED
        self._refuse("MISSING_AUTHENTICATION_TOKEN" if unknown else "DEFAULT_4XX")

    def _send_error_response(self, error: LocalGatewayException) -> None:
        kinds: dict[type[LocalGatewayException], str] = {
            NotAuthorizedError: "UNAUTHORIZED",
            InvalidAuthorizerError: "AUTHORIZER_CONFIGURATION_ERROR",
            ForbiddenError: "MISSING_AUTHENTICATION_TOKEN",
        }
        self._refuse(kinds.get(type(error), "DEFAULT_5XX"), keep=True)

    def _refuse(self, kind: str, *, keep: bool = False) -> None:
        """Answer in the gateway's stead; an unread body ends the connection."""
        template = self.responses_by_kind[kind]
        correlation_id = secrets.token_hex(16)
        error = {name: template[name] for name in ("message", "type", "code")}
        body = json.dumps({"error": {**error, "param": None, "correlation_id": correlation_id}})
        headers: dict[str, Any] = {"X-Correlation-ID": correlation_id, "X-Latency-Ms": "0.000"}
        headers |= {f"X-Route-{part}": "none" for part in ("Team", "Variant", "Target", "Version")}
        if not keep:
            self.close_connection = True
            headers["Connection"] = "close"
        self._send_http_response(template["status"], headers, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Failures only; requests have their own, structured line."""
        sys.stderr.write(f"{format % args}\n")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if isinstance(code, HTTPStatus) and code.value >= 500:  # noqa: PLR2004
            super().log_request(code, size)


class Server(ThreadedHTTPServer):
    request_queue_size = 128  # with five, a burst of callers waits for connects tried again


def make_parts(gateway: Any) -> None:  # noqa: ANN401  (its module can be imported by main only)
    """Requests run in threads here: a part made by two at once would be two breakers, two pools."""
    with contextlib.suppress(ConfigError):  # every answer will say so
        _ = gateway.inference, gateway.keys, gateway.readiness


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the gateway on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--url-file", type=Path, help="write the address here when it listens")
    arguments = parser.parse_args()
    sys.path.insert(0, str(_HERE))
    from app import app, gateway  # noqa: PLC0415  (as late as `chalice local` imports it)

    make_parts(gateway)

    # Requests run in threads here: `current_request` must be each thread's own.
    app.__class__ = LocalChalice
    config = Config.create(project_dir=str(_HERE), lambda_timeout=90, app_name=app.app_name)
    try:
        server = LocalDevServer(app, config, "127.0.0.1", arguments.port, Handler, Server)
    except OSError as error:
        parser.exit(1, f"local_server: port {arguments.port}: {error.strerror}\n")
    url = f"http://127.0.0.1:{server.server.server_port}"
    if arguments.url_file:
        arguments.url_file.write_text(url, "utf-8")
    print(f"gateway on {url}", flush=True)  # noqa: T201
    server.server.serve_forever()


if __name__ == "__main__":
    main()
