"""Every kind of step: one class each, added here and nowhere else."""

from harness.suites.steps.answers import Answer, Differ
from harness.suites.steps.comparing import Compared
from harness.suites.steps.endpoints import Get, Models, Refusal
from harness.suites.steps.judging import Judges
from harness.suites.steps.ladder import Ladder
from harness.suites.steps.metrics import Metrics
from harness.suites.steps.quality import Quality
from harness.suites.steps.recovering import Recovery
from harness.suites.steps.requests import Requests
from harness.suites.steps.splitting import Split, Sticky

AnyStep = (
    Answer
    | Compared
    | Differ
    | Get
    | Judges
    | Ladder
    | Metrics
    | Models
    | Quality
    | Recovery
    | Refusal
    | Requests
    | Split
    | Sticky
)
