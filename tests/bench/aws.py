"""moto as a process: prints its address, serves until it is ended."""

import logging
import signal

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"aws on http://{host}:{port}", flush=True)  # noqa: T201
signal.pause()
