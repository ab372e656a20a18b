"""Synthesised stages: once a test run, by the command that users have, and their templates."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
STAGES: Final = ("dev", "staging", "prod")
Template = dict[str, Any]


def run_app(
    out: Path, *context: str, root: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`app.py` as CDK's command line runs it: no credentials, no network needed."""
    return subprocess.run(
        [sys.executable, "-O", "app.py"],
        cwd=root,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", str(out.parent)),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps(
                {**_settings(root), **dict(one.split("=", 1) for one in context)}
            ),
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def _settings(root: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((root / "cdk.json").read_text())["context"]
    return settings


@cache
def assembly(stage: str, *context: str) -> Path:
    """The folder of a synthesised stage, made once for all tests of a run and removed after it."""
    folder = Path(tempfile.mkdtemp(prefix="synth-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = run_app(folder / "cdk.out", f"stage={stage}", *context)
    if done.returncode:
        told = f"synth of {stage} {context} ended with {done.returncode}"
        raise RuntimeError(f"{told}:\n{done.stderr}")
    return folder / "cdk.out"


@cache
def templates(stage: str, *context: str) -> Mapping[str, Template]:
    """By part: `templates("dev")["network"]`."""
    files = assembly(stage, *context).glob("*.template.json")
    return {
        file.name.removeprefix(f"llmo-{stage}-").removesuffix(".template.json"): json.loads(
            file.read_text()
        )
        for file in files
    }


def resources(template: Template, *kinds: str) -> dict[str, dict[str, Any]]:
    """Resources of these CloudFormation types by logical id."""
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if not kinds or resource["Type"] in kinds
    }


def manifests(stage: str, *context: str) -> Sequence[dict[str, Any]]:
    """Every Kubernetes object that any stack applies; tokens in it are JSON of `Fn::…`."""
    return [
        manifest
        for template in templates(stage, *context).values()
        for resource in resources(template, "Custom::AWSCDK-EKS-KubernetesResource").values()
        for manifest in _objects(resource["Properties"]["Manifest"])
    ]


def _objects(manifest: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (CloudFormation)
    if isinstance(manifest, dict):  # {"Fn::Join": ["", [text, token, …]]}
        parts = manifest["Fn::Join"][1]
        manifest = "".join(part if isinstance(part, str) else _token(part) for part in parts)
    objects: list[dict[str, Any]] = json.loads(manifest)
    return objects


def _token(token: Any) -> str:  # noqa: ANN401  (CloudFormation)
    """A reference within a JSON string becomes a word that no test mistakes for a value."""
    return "-".join(str(value) for value in _leaves(token)).replace('"', "").replace("\\", "")


def _leaves(value: Any) -> list[Any]:  # noqa: ANN401  (CloudFormation)
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]
