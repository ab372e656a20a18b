"""One more entry in engines.toml is one more engine, everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gpu_fleet.engines import ENGINES_TOML
from tests.support.synth import ROOT, resources, templates

SCRIPT: Final = Path(__file__).with_name("synth_fleet.py")
NAME: Final = "mistral-7b-fifth"
# Between two others and at rest: where it stands must not matter, and dev has four GPUs.
BEFORE: Final = "[engines.mistral-7b-lora]\n"
V2: Final = "AWS::ElasticLoadBalancingV2::"


def with_a_fifth(text: str) -> str:
    start = text.index("[engines.mistral-7b-awq]")
    entry = text[start : text.index("[engines.", start + 1)]
    entry = entry.replace("mistral-7b-awq", NAME, 1).replace("min = 1", "min = 0")
    return text.replace(BEFORE, entry + BEFORE)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("fifth")
    engines = folder / "engines.toml"
    engines.write_text(with_a_fifth(ENGINES_TOML.read_text("utf-8")), "utf-8")
    done = subprocess.run(
        [sys.executable, "-O", str(SCRIPT), str(engines), str(folder / "out")],
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "CDK_CONTEXT_JSON": json.dumps(json.loads((ROOT / "cdk.json").read_text())["context"]),
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert not done.returncode, done.stderr
    template: dict[str, Any] = json.loads(
        (folder / "out/llmo-dev-fleet.template.json").read_text("utf-8")
    )
    return template


def priorities(template: dict[str, Any]) -> dict[str, int]:
    """By host."""
    return {
        condition["HostHeaderConfig"]["Values"][0]: rule["Properties"]["Priority"]
        for rule in resources(template, f"{V2}ListenerRule").values()
        for condition in rule["Properties"]["Conditions"]
        if condition["Field"] == "host-header"
    }


def test_it_has_its_way_and_its_role(fleet: dict[str, Any]) -> None:
    assert f"{NAME}.dev.llmo.internal" in priorities(fleet)
    for kind in (f"{V2}TargetGroup", f"{V2}ListenerRule"):
        assert len(resources(fleet, kind)) == 5
    records = resources(fleet, "AWS::Route53::RecordSet").values()
    assert f"{NAME}.dev.llmo.internal." in {one["Properties"]["Name"] for one in records}
    accounts = {
        one["Properties"]["ServiceAccount"]
        for one in resources(fleet, "AWS::EKS::PodIdentityAssociation").values()
    }
    assert NAME in accounts


def test_it_has_its_objects(fleet: dict[str, Any]) -> None:
    applied = [
        json.dumps(one["Properties"]["Manifest"])
        for one in resources(fleet, "Custom::AWSCDK-EKS-KubernetesResource").values()
    ]
    (its,) = [text for text in applied if f"served-model-name={NAME}" in text]
    for kind in ("Deployment", "Service", "NetworkPolicy", "ScaledObject", "TargetGroupBinding"):
        assert f'\\"kind\\":\\"{kind}\\"' in its


def test_the_others_stay_as_they_were(fleet: dict[str, Any]) -> None:
    """A rule that moved would want a priority that another rule still has, and the deploy fails."""
    before = priorities(templates("dev")["fleet"])
    after = priorities(fleet)
    assert {host: after[host] for host in before} == before
    assert set(templates("dev")["fleet"]["Resources"]) < set(fleet["Resources"])
