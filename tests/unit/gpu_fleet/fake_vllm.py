"""A server that starts, answers and stops as vLLM's does, in milliseconds.

What it does wrong stands in a file `behaviour` in the folder of its model.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Handler(BaseHTTPRequestHandler):
    models: ClassVar[list[str]] = []
    mute: ClassVar[bool] = False

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {})
        elif self.headers.get("Authorization") != f"Bearer {os.environ['VLLM_API_KEY']}":
            self._answer(401, {"error": "Unauthorized"})
        else:
            self._answer(200, {"data": [{"id": name} for name in self.models]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(500 if self.mute else 200, {})

    def _answer(self, status: int, body: object) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


def main(arguments: list[str]) -> None:
    options = dict(
        word[2:].split("=", 1) for word in arguments if word.startswith("--") and "=" in word
    )
    marker = Path(options["model"]) / "behaviour"
    behaviour = marker.read_text() if marker.exists() else ""
    if behaviour == "die":
        sys.exit("ValueError: the weights are broken")
    if behaviour == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        worker()
        signal.pause()
    adapters = [word.split("=")[0] for word in arguments if word.startswith("lora-")]
    Handler.models = [options["served-model-name"], *(adapters if behaviour != "forget" else [])]
    Handler.mute = behaviour == "mute"
    server = ThreadingHTTPServer((options["host"], int(options["port"])), Handler)
    child = worker()

    def stop(*_: object) -> None:
        if behaviour == "stop its parent":
            os.kill(os.getppid(), signal.SIGTERM)
        child.terminate()
        child.wait()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()


def worker() -> "subprocess.Popen[bytes]":
    """As vLLM's own workers: a process that does not notice the death of its parent."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])


if __name__ == "__main__":
    main(sys.argv[1:])
