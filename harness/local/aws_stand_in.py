"""The AWS stand-in: moto's server on a free port of the loopback.

    python -m harness.local.aws_stand_in URL_FILE

One request at a time: moto's conditional writes are not atomic, and optimistic locking needs them
to be.
"""

import logging
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def one_at_a_time(application: "WSGIApplication") -> "WSGIApplication":
    turn = threading.Lock()

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with turn:
            return list(application(environ, start_response))

    return serve


def main() -> None:
    url_file = Path(sys.argv[1])
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    url_file.write_text(f"http://127.0.0.1:{server.server_port}", "utf-8")
    server.serve_forever()


if __name__ == "__main__":
    main()
