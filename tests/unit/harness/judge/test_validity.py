"""Which runs a judge is not asked about in vain."""

from pathlib import Path

from harness.judge.validity import findings
from harness.runs.folder import RunFolder
from harness.verdict import Verdict
from tests.support.compared_runs import late_shard, right, run_folder


def test_each_run_is_judged_once_and_only_where_it_is_fit(tmp_path: Path) -> None:
    whole, late, going_on = (
        RunFolder(path)
        for path in (
            run_folder(tmp_path / "whole", {"a": right}),
            late_shard(run_folder(tmp_path / "late", {"a": right})),
            run_folder(tmp_path / "going-on", {"a": right}, over=False),
        )
    )
    found = {one.name: one for one in findings(whole, whole, late, going_on)}
    assert {name: one.verdict for name, one in found.items()} == {
        "run whole": Verdict.PASS,
        "run late": Verdict.INVALID,
        "run going-on": Verdict.INVALID,
    }
    assert found["run late"].reason == "common start: shard 3 began 5 s late"
