"""Every kind of step: one class each, added here and nowhere else."""

from typing import TypeAlias

from harness.suites.steps.answers import Answer, Differ
from harness.suites.steps.endpoints import Get, Models, Refusal
from harness.suites.steps.judging import Judges
from harness.suites.steps.metrics import Metrics
from harness.suites.steps.quality import Quality
from harness.suites.steps.requests import Requests
from harness.suites.steps.splitting import Split, Sticky

AnyStep: TypeAlias = (
    Answer
    | Differ
    | Get
    | Judges
    | Metrics
    | Models
    | Quality
    | Refusal
    | Requests
    | Split
    | Sticky
)
