"""From what was asked for at the command line to a run's folder with its plan."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.errors import WrongInput
from harness.local.layout import Layout
from harness.promptsets import store
from harness.promptsets.rows import Row
from harness.recovery.folder import RecoveryFolder
from harness.recovery.plan import RecoveryPlan, Side
from harness.recovery.policy import Policy
from harness.recovery.sides import client, met, weights
from harness.stage import Stage, address
from harness.version import VERSION

_DEFAULTS: Final = {"reference": "reference", "candidate": "quant"}
_MEETING_TIMEOUT_S: Final = 90.0
"""An engine may compile something at its first request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The command's options."""

    reference: str | None = None
    candidate: str | None = None
    gateway: str | None = None
    reference_url: str | None = None
    candidate_url: str | None = None
    reference_weights: Path | None = None
    candidate_weights: Path | None = None
    promptset: str = "tiny"
    category: tuple[str, ...] = ()
    rows: int | None = None
    policy: Path | None = None
    concurrency: int = 4
    timings: int = 66
    seed: int = 0
    output: Path | None = None
    resume: Path | None = None

    def stage(self) -> Stage | None:
        """The gateway, and what else is known there; None where only engines are named.

        Raises NoStackError, WrongInput.
        """
        named = self.reference_url is not None and self.candidate_url is not None
        if self.gateway is None and (named or self.resume is not None):
            return Stage.of_local()  # its engines may be those that are named
        return Stage.of(self.gateway)

    def sides(self, stage: Stage | None) -> tuple[Side, Side]:
        """Raises WrongInput."""
        return (
            _side("reference", self.reference, self.reference_url, self.reference_weights, stage),
            _side("candidate", self.candidate, self.candidate_url, self.candidate_weights, stage),
        )


async def begun(wanted: Wanted, stage: Stage | None) -> RecoveryFolder:
    """A new folder, made when both sides answered.

    Raises WrongInput, PromptsetError, PolicyError, GatewayError or StoreError; then there is none.
    """
    policy = Policy() if wanted.policy is None else Policy.read(wanted.policy)
    promptset = store.load(wanted.promptset)
    ref = promptset.ref(categories=wanted.category)
    rows = _askable(promptset.select(ref), wanted)
    sides = wanted.sides(stage)
    async with client(*sides, timeout_s=_MEETING_TIMEOUT_S, at_once=2) as http:
        reference, candidate = [await met(http, side, stage) for side in sides]
    now = datetime.now(UTC)
    plan = RecoveryPlan(
        run_id=f"recovery-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        created=now.isoformat(timespec="seconds"),
        harness_version=VERSION,
        promptset=ref,
        rows=wanted.rows,
        reference=reference,
        candidate=candidate,
        policy=policy,
        seed=wanted.seed,
        concurrency=wanted.concurrency,
        timings=wanted.timings,
    )
    runs = wanted.output or Layout.of_repository().build / "runs"
    return RecoveryFolder.create(runs / plan.run_id, plan, rows)


def resumed(path: Path) -> RecoveryFolder:
    """Raises StoreError where it is no recovery run."""
    folder = RecoveryFolder(path)
    _ = folder.plan
    return folder


def _askable(rows: tuple[Row, ...], wanted: Wanted) -> tuple[Row, ...]:
    """Raises WrongInput where no row has a prompt."""
    found = tuple(row for row in rows if row.turns)[: wanted.rows]
    if not found:
        raise WrongInput(f"promptset {wanted.promptset}: no row has a prompt to answer")
    return found


def _side(
    which: str, model: str | None, url: str | None, folder: Path | None, stage: Stage | None
) -> Side:
    size = None if folder is None else weights(folder)
    if url is not None:
        return Side(url=address(f"--{which}-url", url), model=model or "", weights_bytes=size)
    if stage is None:
        raise WrongInput("name a gateway, or the addresses of both engines")
    return Side(url=stage.gateway_url, model=model or _DEFAULTS[which], weights_bytes=size)
