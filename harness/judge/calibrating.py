"""A calibration carried out: the judge asked about answers whose worth is known, and a page."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.judge import journal
from harness.judge.calibration import Calibration, calibration
from harness.judge.samples import samples_of
from harness.judge.scoring import score
from harness.promptsets import store
from harness.stage import Stage


async def calibrated(
    stage: Stage,
    promptset: str,
    *,
    profile: str,
    at_once: int,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Calibration:
    """`told` hears how many of how many are done.

    Raises PromptsetError, WrongInput for a set without scores, and GatewayError.
    """
    loaded = store.load(promptset)
    samples = samples_of(loaded.rows, promptset)
    done = iter(range(1, len(samples) + 1))
    outcomes = await score(
        stage,
        [sample.case for sample in samples],
        profile=profile,
        at_once=at_once,
        told=lambda _case, _outcome: told(next(done), len(samples)),
    )
    return calibration(
        samples,
        outcomes,
        promptset=loaded.manifest.name,
        version=loaded.manifest.version,
        profile=profile,
    )


def write(found: Calibration, runs: Path) -> Path:
    """The page, in a folder of its own, with JSON beside it. Raises StoreError."""
    from harness.judge.page import page  # noqa: PLC0415  # drawing is slow to import
    from harness.report.page import write_page  # noqa: PLC0415

    folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-calibration"
    journal.write(folder / "calibration.json", found)
    return write_page(page(found), folder / "calibration.html")
