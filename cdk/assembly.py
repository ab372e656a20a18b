"""A synthesised stage, as templates and Kubernetes objects."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cdk.errors import CdkError

ROOT: Final = Path(__file__).parents[1]
MANIFEST: Final = "Custom::AWSCDK-EKS-KubernetesResource"
Resource = Mapping[str, Any]


class SynthFailed(CdkError):  # noqa: N818  (what happened)
    """What it said is the message; `code` is its exit code."""

    def __init__(self, told: str, code: int) -> None:
        super().__init__(told)
        self.code = code


def synthesise(stage: str, out: Path, *, paused: bool = False) -> None:
    """Anew, in a process of its own, which can hold one Chalice app only. Raises SynthFailed."""
    shutil.rmtree(out, ignore_errors=True)
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    chosen = {**context, "stage": stage, "paused": str(paused).lower()}
    done = subprocess.run(
        [sys.executable, "-O", "app.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps(chosen),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SynthFailed(done.stderr.strip().removeprefix("error: "), done.returncode)


def resources(folder: Path) -> list[Resource]:
    """Of all stacks."""
    return [
        resource
        for file in sorted(folder.glob("*.template.json"))
        for resource in json.loads(file.read_text("utf-8"))["Resources"].values()
    ]


def objects(found: Iterable[Resource]) -> Iterator[Mapping[str, Any]]:
    """What stacks apply to the cluster; what only a deployment knows is a word in its place."""
    for resource in found:
        if resource["Type"] == MANIFEST:
            yield from json.loads(_text(resource["Properties"]["Manifest"]))


def _text(manifest: Any) -> str:  # noqa: ANN401  (CloudFormation)
    if isinstance(manifest, str):
        return manifest
    return "".join(
        part if isinstance(part, str) else "deployed" for part in manifest["Fn::Join"][1]
    )
