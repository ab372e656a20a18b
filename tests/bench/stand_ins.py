"""Everything around the gateway as processes of their own, so that they don't share its heap."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

ROOT: Final = Path(__file__).parents[2]
PYTHONPATH: Final = os.pathsep.join((str(ROOT / "api"), str(ROOT)))
"""The gateway's folder first: the repository's root has an `app` of its own, CDK's."""
ENGINES: Final = ("mistral-7b-awq", "mistral-7b-fp16", "mistral-7b-lora", "mistral-7b-judge")
_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "us-west-2",
    "AWS_DEFAULT_REGION": "us-west-2",
}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Addresses, and the environment a gateway needs to find them."""

    engine_url: str
    environment: dict[str, str]


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """A fake engine, moto with the gateway's tables, the SageMaker stand-in."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine_url = _started(
            stack, [sys.executable, "-m", "chalicelib.backends.fake.server"], folder / "engine"
        )
        aws_url = _started(
            stack, [sys.executable, str(Path(__file__).with_name("aws.py"))], folder / "aws"
        )
        _create_tables(aws_url)
        engines = {name: {"url": engine_url} for name in ENGINES}
        (folder / "engines.json").write_text(json.dumps({"engines": engines}))
        command = [sys.executable, "-m", "sagemaker_models.runtime", "--port", "0"]
        command += [
            "--engines",
            str(folder / "engines.json"),
            "--state",
            str(folder / "runtime.json"),
        ]
        runtime_url = _started(stack, command, folder / "runtime")
        yield Surroundings(
            engine_url=engine_url,
            environment={
                **_CREDENTIALS,
                "AWS_ENDPOINT_URL": aws_url,
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url,
                "ENGINE_URLS": json.dumps(dict.fromkeys(ENGINES, engine_url)),
            },
        )


def run_isolated(script: Path, environment: dict[str, str]) -> Any:  # noqa: ANN401  (its JSON)
    """What a benchmark's own process prints as its last line, as JSON."""
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**_clean_environment(), **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _started(stack: ExitStack, command: list[str], log: Path) -> str:
    """The address that a server prints in its first line."""
    process = subprocess.Popen(
        command,
        env={**_clean_environment(), **_CREDENTIALS},
        stdout=subprocess.PIPE,
        stderr=log.open("wb"),
        text=True,
        cwd=ROOT,
    )
    stack.callback(_end, process)
    if process.stdout is None:
        raise RuntimeError("no output")
    words = process.stdout.readline().split()
    url = next((word for word in words if word.startswith("http://")), None)
    if url is None:
        raise RuntimeError(f"{' '.join(command)} did not start: {log.read_text()[-500:]}")
    return url.rstrip(",:;")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=20)
    if process.stdout:
        process.stdout.close()


def _clean_environment() -> dict[str, str]:
    dropped = ("AWS_", "OTEL_", "POWERTOOLS_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONPATH": PYTHONPATH}


def _create_tables(aws_url: str) -> None:
    client = boto3.client(
        "cloudformation",
        endpoint_url=aws_url,
        region_name=_CREDENTIALS["AWS_REGION"],
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(proxies={}),
    )
    template = (ROOT / "api/tables.template.json").read_text()
    client.create_stack(StackName="bench", TemplateBody=template)
