"""`python -m sagemaker_models.runtime`"""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.sagemaker_runtime.stand_in import invoke


def test_the_command_serves_publishes_and_stops(tmp_path: Path, engines: Path) -> None:
    state = tmp_path / "runtime.json"
    command = ["--engines", str(engines), "--port", "0", "--state", str(state)]
    with subprocess.Popen(
        [sys.executable, "-m", "sagemaker_models.runtime", *command],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            published = json.loads(state.read_text())
            assert line == (
                f"SageMaker runtime on {published['url']} for "
                "quant-endpoint, finetune-endpoint, eval-endpoint\n"
            )
            assert published["pid"] == process.pid
            assert state.stat().st_mode & 0o777 == 0o600
            assert invoke(published["url"], "eval-endpoint")["InvokedProductionVariant"] == "judge"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
    assert not state.exists()


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sagemaker_models.runtime", "--engines", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {tmp_path}/none is missing: start the engines (python -m gpu_fleet up)\n"
    )
