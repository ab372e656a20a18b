"""How many pods of a namespace are ready, as kubectl tells."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from typing import Final

from harness.errors import HarnessError
from harness.verdict import Finding, Verdict

_TIMEOUT_S: Final = 30


async def ready(namespace: str) -> int:
    """Raises HarnessError where kubectl is not there, or can't tell."""
    program = shutil.which("kubectl")
    if program is None:
        raise HarnessError("--kubectl: there is no kubectl on the PATH")
    command = (program, "get", "pods", f"--namespace={namespace}", "--output=json")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            told, problem = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise HarnessError(f"kubectl did not answer within {_TIMEOUT_S} s") from None
    if process.returncode:
        raise HarnessError(f"kubectl: {problem.decode(errors='replace').strip()}")
    try:
        return count(json.loads(told))
    except ValueError:
        raise HarnessError("kubectl did not answer in JSON") from None


def count(document: Mapping[str, object]) -> int:
    """The pods of `kubectl get pods --output=json` that are ready."""
    pods = document.get("items")
    return sum(_is_ready(pod) for pod in pods) if isinstance(pods, list) else 0


def _is_ready(pod: object) -> bool:
    match pod:
        case {"status": {"conditions": list(conditions)}}:
            return any(
                one.get("type") == "Ready" and one.get("status") == "True" for one in conditions
            )
    return False


def finding(name: str, before: int | None, during: int | None) -> Finding:
    if before is None or during is None:
        reason = "nobody said where pods are (--kubectl NAMESPACE), so none could be counted"
        return Finding(name=name, verdict=Verdict.INCONCLUSIVE, reason=reason)
    more = during > before
    return Finding(
        name=name,
        verdict=Verdict.PASS if more else Verdict.INCONCLUSIVE,
        reason=f"{before} ready before and {during} at the end of the load"
        + ("" if more else ": none was added in that time"),
        measured=during,
        limit=before,
        unit="pods",
    )
