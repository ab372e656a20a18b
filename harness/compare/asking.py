"""Two models asked now: a run of both, carried out and kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.compare.live import prepared_pair
from harness.errors import WrongInput
from harness.local.layout import Layout
from harness.report import write
from harness.runs.execute import execute
from harness.runs.folder import RunFolder
from harness.runs.planning import Document, layered, read_plan_file
from harness.runs.progress import Progress
from harness.stage import Stage, address
from harness.terminal import from_here

_DEFAULT: Final[Document] = {"load": {"arrivals": {"type": "closed", "concurrency": 2}}}


def asked_now(values: Mapping[str, Any], progress: Progress) -> Path:
    """The folder of the run that asked both. `values`: the options of `compare`, by name."""
    if not (values["reference"] and values["candidate"] and values["promptset"]):
        raise WrongInput("asking now takes all of --reference, --candidate and --promptset")
    untimed = {} if values["max_slowdown"] else {"validity": {"loop_lag_p99_ms": None}}
    file = read_plan_file(values["plan"]) if values["plan"] else {}
    plan, rows, keys = prepared_pair(
        values["reference"],
        values["candidate"],
        layered(_DEFAULT, untimed, file, _said(values)),
        values["repeat"],
        Stage.of_local(),
    )
    output = values["output"] or Layout.of_repository().build / "runs"
    folder = RunFolder.create(output / plan.run_id, plan, rows)
    execute(folder, keys, progress)
    write(folder.path)
    return from_here(folder.path)


def _said(values: Mapping[str, Any]) -> Document:
    said: Document = {"promptset": {"name": values["promptset"]}}
    if values["gateway"] is not None:
        said["arm"] = {"url": address("--gateway", values["gateway"])}
    load: Document = {}
    if values["concurrency"]:
        load["arrivals"] = {"type": "closed", "concurrency": values["concurrency"]}
    if values["warmup"] is not None:
        load["warmup"] = values["warmup"]
    return said | ({"load": load} if load else {})
