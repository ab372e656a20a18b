"""Prometheus' own checker, as `make setup` installed it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
PROMTOOL: Final = ROOT / ".venvs/tools/promtool"
_DISCOVERY: Final = "kubernetes_sd_configs"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not PROMTOOL.exists():
        raise AssertionError("there is no .venvs/tools/promtool: run make setup")
    return subprocess.run(
        [PROMTOOL, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def knows_kubernetes(folder: Path) -> bool:
    """Debian builds promtool without Kubernetes' discovery: to it the section is misspelt."""
    probe = folder / "probe.yml"
    job = {"job_name": "probe", _DISCOVERY: [{"role": "pod"}]}
    probe.write_text(yaml.safe_dump({"scrape_configs": [job]}), "utf-8")
    return promtool("check", "config", "--syntax-only", probe).returncode == 0


def without_kubernetes(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same, but that pods and nodes would be found by HTTP."""
    return {
        **config,
        "scrape_configs": [_by_http(job) for job in config["scrape_configs"]],
    }


def _by_http(job: Mapping[str, Any]) -> dict[str, Any]:
    found = [{"url": "http://discovery.invalid/"}] if _DISCOVERY in job else []
    kept = {key: value for key, value in job.items() if key != _DISCOVERY}
    return {**kept, **({"http_sd_configs": found} if found else {})}
