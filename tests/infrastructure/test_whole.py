"""The whole app: offline, the same bytes everywhere, and one entry for what is added."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import checkout, isolation
from tests.support.synth import ROOT, STAGES, assembly, resources, run_app, templates

PARTS: Final = {
    "api",
    "cicd",
    "cluster",
    "data",
    "fleet",
    "harness",
    "models",
    "namespaces",
    "network",
    "observability",
}
SERVED: Final = """domain.name = "api.lab.example.org"
domain.hosted_zone_name = "lab.example.org"
domain.hosted_zone_id = "Z0123456789ABC"
alarms.email = "lab@example.org"
administrators"""
RUN_APP: Final = """
import sys
from pathlib import Path
from tests.support.synth import run_app
done = run_app(Path(sys.argv[1]), *sys.argv[3:], root=Path(sys.argv[2]))
sys.exit(done.stderr if done.returncode else 0)
"""
CONNECT: Final = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"

needs_isolation = pytest.mark.skipif(
    not isolation.is_permitted(), reason="this system lets nobody make a network namespace"
)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_ten_stacks(stage: str) -> None:
    assert set(templates(stage)) == PARTS


@needs_isolation
def test_the_isolation_is_one() -> None:
    """What follows would fail if a synth wanted to reach anything: even a neighbour is out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = [sys.executable, "-c", CONNECT, str(server.getsockname()[1])]
        assert not subprocess.run(connect, check=False).returncode
        cut_off = subprocess.run(isolation.isolated(connect), capture_output=True, check=False)
    assert b"Network is unreachable" in cut_off.stderr or b"refused" in cut_off.stderr


@dataclass(frozen=True)
class Elsewhere:
    """A stage synthesised without a network, and without credentials or a home, elsewhere."""

    stage: str
    out: Path
    done: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="module")
def other_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout.copy(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module", params=STAGES)
def elsewhere(request: pytest.FixtureRequest, other_checkout: Path) -> Elsewhere:
    stage: str = request.param
    out = other_checkout / "cdk.out" / stage
    done = subprocess.run(
        isolation.isolated(
            [sys.executable, "-c", RUN_APP, str(out), str(other_checkout), f"stage={stage}"]
        ),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return Elsewhere(stage, out, done)


@needs_isolation
def test_a_synth_needs_neither_network_nor_credentials(elsewhere: Elsewhere) -> None:
    assert elsewhere.done.returncode == 0, elsewhere.done.stderr


@needs_isolation
def test_two_checkouts_give_the_same_bytes(elsewhere: Elsewhere) -> None:
    """Every file of the assembly, assets within: one more synth, another folder, other times."""
    first, second = contents(assembly(elsewhere.stage)), contents(elsewhere.out)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("stage", STAGES)
def test_no_template_or_asset_says_where_it_was_made(stage: str) -> None:
    assert [
        name for name, content in contents(assembly(stage)).items() if str(ROOT).encode() in content
    ] == []


def test_cdks_own_command_gives_the_same_templates(tmp_path: Path) -> None:
    command = ["node_modules/.bin/cdk", "synth", "--quiet", "--output", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, "--context", "stage=dev", "--no-notices"],
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert checkout.templates(tmp_path / "out", "dev") == templates("dev")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Templates of a fourth stage, with a domain, mailed alarms and a fifth engine: one entry each,
    in a checkout. Its synth ends with cdk-nag, as all do.
    """
    root = checkout.copy(tmp_path_factory.mktemp("grown"))
    for file, section, changes in (
        (
            "cdk/stages.toml",
            "stages.prod",
            {
                "stages.prod": "stages.lab",
                "10.2.0.0": "10.9.0.0",
                "administrators": SERVED,
                ', on_push = "main"': "",
            },
        ),
        ("gpu_fleet/engines.toml", "engines.mistral-7b-awq", {"mistral-7b-awq]": "fifth-engine]"}),
    ):
        path = root / file
        text = path.read_text("utf-8")
        entry = text[text.index(f"[{section}]") :].split("\n[")[0]
        for old, new in changes.items():
            entry = entry.replace(old, new)
        path.write_text(f"{text}\n{entry}\n", "utf-8")
    out = root / "out"
    done = run_app(out, "stage=lab", root=root)
    assert done.returncode == 0, done.stderr
    linted = subprocess.run(
        [
            str(Path(sys.executable).with_name("cfn-lint")),
            *("--non-zero-exit-code", "error", "--regions", "us-west-2", "--"),
            *map(str, sorted(out.glob("*.template.json"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout
    return dict(checkout.templates(out, "lab"))


def test_a_fourth_stage_is_one_entry(grown: dict[str, Any]) -> None:
    assert set(grown) == PARTS
    (vpc,) = resources(grown["network"], "AWS::EC2::VPC").values()
    assert vpc["Properties"]["CidrBlock"] == "10.9.0.0/16"


def test_a_stage_with_a_domain_has_tls_to_the_engines(grown: dict[str, Any]) -> None:
    fleet = grown["fleet"]
    (listener,) = resources(fleet, "AWS::ElasticLoadBalancingV2::Listener").values()
    told = listener["Properties"]
    assert (told["Port"], told["Protocol"]) == (443, "HTTPS")
    assert told["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-")
    (certificate,) = resources(fleet, "AWS::CertificateManager::Certificate").values()
    names = certificate["Properties"]
    assert "*.engines.api.lab.example.org" in {
        names["DomainName"],
        *names.get("SubjectAlternativeNames", ()),
    }
    (mail,) = resources(grown["observability"], "AWS::SNS::Subscription").values()
    assert mail["Properties"]["Endpoint"] == "lab@example.org"


def test_stacks_come_in_the_order_that_the_guide_says() -> None:
    """CDK's command deploys by these dependencies, and destroys backwards: roles first, the version
    last, endpoints after weights.
    """
    manifest = json.loads((assembly("staging") / "manifest.json").read_text("utf-8"))
    before = {
        name.removeprefix("llmo-staging-"): {
            other.removeprefix("llmo-staging-")
            for other in artifact.get("dependencies", ())
            if not other.endswith(".assets")
        }
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert "fleet" in before["models"] & before["api"]
    assert {"network", "data", "cluster", "namespaces"} <= before["fleet"]
    assert not before["cicd"]
    assert all(before[part] for part in PARTS - {"cicd"})
    assert _all_before("observability", before) == PARTS - {"observability"}


def _all_before(part: str, before: Mapping[str, set[str]]) -> set[str]:
    return before[part].union(*(_all_before(one, before) for one in before[part]))


def test_a_fifth_engine_is_one_entry(grown: dict[str, Any]) -> None:
    """All that belongs to an engine appears: as often as for the one whose entry was copied."""
    told = json.dumps(grown["fleet"])
    assert told.count("fifth-engine") == told.count("mistral-7b-awq") > 0
    groups = "AWS::ElasticLoadBalancingV2::TargetGroup"
    before, after = (resources(one["fleet"], groups) for one in (templates("prod"), grown))
    assert len(after) == len(before) + 1
