"""A suite from its file to its verdict."""

import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

import httpx
import msgspec

from harness.errors import GatewayError, HarnessError
from harness.stage import Stage, reached
from harness.suites.step import NotAskedError, Step
from harness.suites.steps import AnyStep
from harness.suites.visit import Visit
from harness.verdict import Finding, Verdict, overall
from harness.version import VERSION

NAMES: Final = ("golden", "failures", "quant", "finetune", "autoscaling")
_REFUSED: Final = {
    401: "it is unknown, wrong, disabled or expired",
    403: "it needs the scopes invoke, pin and score, for every team",
}


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a suite's TOML file holds."""

    description: str
    step: tuple[AnyStep, ...]


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: str
    seconds: float
    findings: tuple[Finding, ...] = ()
    not_asked: str = ""
    """Why it could not be; it counts for nothing then."""

    @property
    def verdict(self) -> Verdict | None:
        return None if self.not_asked else overall(self.findings)


class SuiteReport(msgspec.Struct, frozen=True, kw_only=True):
    suite: str
    description: str
    gateway: str
    started: str
    """UTC, ISO 8601."""
    harness_version: str
    verdict: Verdict
    steps: tuple[StepResult, ...]


def load(name: str) -> Suite:
    """A shipped suite. Raises msgspec.ValidationError where its file is wrong: a fault of ours."""
    text = files("harness.suites").joinpath(f"{name}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Suite)


async def carry_out(
    name: str, suite: Suite, visit: Visit, told: Callable[[str], None] = lambda _name: None
) -> SuiteReport:
    """Every step in turn, whatever the others found; `told` hears which one begins.

    Raises GatewayError where nobody answers, or the key is refused: nothing could be found then.
    """
    started = datetime.now(UTC)
    await greet(visit)
    results = []
    for step in suite.step:
        told(step.name)
        results.append(await _result(step, visit))
    findings = [finding for result in results for finding in result.findings]
    return SuiteReport(
        suite=name,
        description=suite.description,
        gateway=visit.stage.gateway_url,
        started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        harness_version=VERSION,
        verdict=overall(findings),
        steps=tuple(results),
    )


async def greet(visit: Visit) -> None:
    await reached(visit.stage, visit.gateway)
    response = await visit.ask("GET", "/v1/models", team(visit.stage))
    if response.status_code in _REFUSED:
        raise GatewayError(
            f"the gateway at {visit.stage.gateway_url} refuses the key: "
            f"{response.status_code}, {_REFUSED[response.status_code]}"
        )


def team(stage: Stage) -> str:
    """One whose key there is."""
    return next(iter(stage.keys), "reference")


async def _result(step: Step, visit: Visit) -> StepResult:
    began = time.monotonic()
    findings: tuple[Finding, ...] = ()
    not_asked = ""
    try:
        findings = tuple(await step.run(visit))
    except NotAskedError as reason:
        not_asked = str(reason)
    except HarnessError as error:
        findings = (Finding(name=step.name, verdict=Verdict.INVALID, reason=str(error)),)
    except httpx.HTTPError as error:
        reason_told = f"the gateway did not answer as it should: {error!r}"
        findings = (Finding(name=step.name, verdict=Verdict.FAIL, reason=reason_told),)
    return StepResult(
        name=step.name,
        kind=str(step.__struct_config__.tag),
        seconds=round(time.monotonic() - began, 3),
        findings=findings,
        not_asked=not_asked,
    )
