"""Wrong input, given to the real command: one line, exit code 64, and nothing synthesised."""

from pathlib import Path

import pytest

from cdk.platform import WRONG_INPUT
from tests.support import checkout
from tests.support.synth import ROOT, run_app

STAGES = "cdk/stages.toml"
ENGINES = "gpu_fleet/engines.toml"
GATEWAY = "api/chalicelib/gateway.toml"


def refused(out: Path, *context: str, root: Path = ROOT) -> str:
    done = run_app(out, *context, root=root)
    assert done.returncode == WRONG_INPUT, done.stderr
    assert done.stdout == ""
    assert not out.exists() or not list(out.iterdir())
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ((), "error: stage: name one: cdk synth -c stage=dev"),
        (("stage=prd",), "error: stage: no 'prd' in stages.toml; there are: dev, staging, prod"),
        (("stage=dev", "paused=yes"), "error: paused: is 'yes'; allowed: true, false, ending"),
        (
            ("stage=dev", "version=one two"),
            "error: version: is 'one two'; must be like [A-Za-z0-9][A-Za-z0-9._-]{0,62}",
        ),
    ],
)
def test_a_context_that_means_nothing_is_refused(
    tmp_path: Path, context: tuple[str, ...], told: str
) -> None:
    assert refused(tmp_path / "out", *context) == told


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout.copy(tmp_path_factory.mktemp("checkout"))


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "told"),
    [
        (
            STAGES,
            "nat_gateways = 1\n",
            "",
            "error: stages.toml: stages.dev.nat_gateways: is missing",
        ),
        (
            STAGES,
            "nat_gateways = 1",
            "nat_gateway = 1",
            "error: stages.toml: stages.dev.nat_gateway: unknown key; allowed: account, region, ",
        ),
        (
            STAGES,
            "[stages.dev]",
            '[stages.dev]\naccount = "1234"',
            "error: stages.toml: stages.dev.account: is '1234'; must be twelve digits, in quotes",
        ),
        (
            STAGES,
            "10.1.0.0/16",
            "10.0.0.0/16",
            "error: stages.toml: stages.staging.cidr: 10.0.0.0/16 overlaps stages.dev.cidr, ",
        ),
        (
            GATEWAY,
            "timeout_s = 60",
            "timeout_s = 90",
            "error: gateway.toml: teams.finetune.timeout_s: is 90; at most 65, stages.dev.integr",
        ),
        (
            ENGINES,
            '"g6e.xlarge"]',
            '"g4dn.xlarge"]',
            (
                "error: engines.toml: engines.mistral-7b-fp16.instance_types: it does not fit "
                "g4dn.xlarge: 14.72 GiB of 13.10 are taken before the KV cache, which needs 4096 "
            ),
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused(
    tmp_path: Path, elsewhere: Path, file: str, pattern: str, replacement: str, told: str
) -> None:
    original = (elsewhere / file).read_text("utf-8")
    checkout.replace(elsewhere, file, pattern, replacement)
    try:
        assert refused(tmp_path / "out", "stage=dev", root=elsewhere).startswith(told)
    finally:
        (elsewhere / file).write_text(original, "utf-8")
