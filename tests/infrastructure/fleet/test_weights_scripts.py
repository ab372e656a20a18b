"""The scripts of pods, run by `sh` with AWS's command line against a bucket.

The command line is the one that CDK's package carries (version 1; the image has version 2). The
model hub's is a stand-in that leaves a model's files: nothing here may reach the hub.
"""

import io
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import boto3
import pytest

from gpu_fleet.manifests.scripts import DOWNLOAD, FETCH, LOOK, UPLOAD
from tests.support.local_aws import LocalAws

# Found by its path: importing the package would start the process behind CDK.
CARRIED: Final = Path(sysconfig.get_path("purelib"), "aws_cdk/asset_awscli_v1/_jsii")
REGION: Final = "us-west-2"
PREFIX: Final = "models/o/m/main"
HF: Final = """#!/bin/sh
mkdir -p "$WORK/model/.cache"
echo weights > "$WORK/model/model.safetensors"
echo {} > "$WORK/model/config.json"
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `aws` and `hf`."""
    folder = tmp_path_factory.mktemp("programs")
    (package,) = CARRIED.glob("*.tgz")
    with tarfile.open(package) as archive:
        (name,) = [one for one in archive.getnames() if one.endswith("layer.zip")]
        layer = archive.extractfile(name)
        assert layer
        zipfile.ZipFile(io.BytesIO(layer.read())).extractall(folder)
    library = folder / "awscli"
    run = f'PYTHONPATH={library} exec {sys.executable} {library / "aws"} "$@"'
    for program, text in (("aws", f"#!/bin/sh\n{run}\n"), ("hf", HF)):
        (folder / program).write_text(text)
        (folder / program).chmod(0o755)
    return folder


@pytest.fixture
def bucket(aws: LocalAws) -> Any:  # noqa: ANN401  (boto3 has no types)
    name = f"weights-{token_hex(6)}"
    s3 = boto3.Session("a", "b", region_name=REGION).resource("s3", endpoint_url=aws.url)
    return s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.fixture
def run(
    programs: Path,
    aws: LocalAws,
    bucket: Any,  # noqa: ANN401  (boto3 has no types)
    tmp_path: Path,
) -> Run:
    (tmp_path / "work").mkdir()
    settings = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(tmp_path),
        "BUCKET": f"s3://{bucket.name}",
        "PREFIX": PREFIX,
        "WAIT_S": "0",
        "WORK": str(tmp_path / "work"),
        "ADAPTERS": str(tmp_path / "adapters"),
        "MODEL": "o/m",
        "REVISION": "main",
        "CHAT_TEMPLATE": "{{ '%s' }} $(TEMPLATE)",
        "CHAT_TEMPLATE_FILE": "chat_template-1.jinja",
    }

    def shell(script: str, *arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", "-c", script, "script", *arguments],
            env={**settings, **changed},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return shell


def test_a_model_is_copied_once(run: Run, bucket: Any) -> None:  # noqa: ANN401
    for script in (LOOK, DOWNLOAD, UPLOAD):
        done = run(script)
        assert (done.returncode, done.stderr) == (0, "")
    assert [one.key for one in bucket.objects.all()] == [
        f"{PREFIX}/_complete",
        f"{PREFIX}/chat_template-1.jinja",
        f"{PREFIX}/config.json",
        f"{PREFIX}/model.safetensors",
    ]
    template = bucket.Object(f"{PREFIX}/chat_template-1.jinja").get()["Body"].read()
    assert template == b"{{ '%s' }} $(TEMPLATE)"
    assert "there already" in run(LOOK).stdout
    assert (run(DOWNLOAD).stdout, run(UPLOAD).stdout) == ("", "")


def test_a_new_chat_template_comes_to_a_model_that_is_there(run: Run, bucket: Any) -> None:  # noqa: ANN401
    """Under another name: containers that run, and start anew, keep theirs."""
    for script in (LOOK, DOWNLOAD, UPLOAD):
        run(script)
    changed = {"CHAT_TEMPLATE": "{{ new }}", "CHAT_TEMPLATE_FILE": "chat_template-2.jinja"}
    for script in (LOOK, DOWNLOAD, UPLOAD):
        assert run(script, **changed).returncode == 0
    found = {
        number: bucket.Object(f"{PREFIX}/chat_template-{number}.jinja").get()["Body"].read()
        for number in (1, 2)
    }
    assert found == {1: b"{{ '%s' }} $(TEMPLATE)", 2: b"{{ new }}"}


def test_a_hub_that_refuses_is_told_of_and_asked_again(
    run: Run,
    bucket: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """As a restarted container does it: the same script, when the token has been mended."""
    refusing = tmp_path / "refusing"
    refusing.mkdir()
    (refusing / "hf").write_text("#!/bin/sh\necho 403 gated repo >&2\nexit 1\n")
    (refusing / "hf").chmod(0o755)
    refused = run(DOWNLOAD, PATH=f"{refusing}:/usr/bin:/bin")
    assert refused.returncode == 1
    assert "403 gated repo" in refused.stderr
    assert "Is the token in the stage's secret hub-token right" in refused.stderr
    assert run(DOWNLOAD).returncode == 0
    assert f"copied: s3://{bucket.name}/{PREFIX}" in run(UPLOAD).stdout


def test_half_a_copy_is_no_copy(run: Run, bucket: Any) -> None:  # noqa: ANN401
    bucket.put_object(Key=f"{PREFIX}/config.json", Body=b"{}")
    assert run(LOOK).stdout == ""
    run(DOWNLOAD)
    assert f"copied: s3://{bucket.name}/{PREFIX}" in run(UPLOAD).stdout


def test_adapters_are_fetched_where_they_are_published(
    run: Run,
    bucket: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    bucket.put_object(Key=f"{PREFIX}/_complete", Body=b"")
    bucket.put_object(Key="adapters/lora-v1@2/adapter_config.json", Body=b"{}")
    assert run(FETCH, "lora-v1@2").returncode == 0
    assert (tmp_path / "adapters/lora-v1@2/adapter_config.json").read_bytes() == b"{}"
    missing = run(FETCH, "lora-v9@1")
    assert missing.returncode == 1
    assert "adapters/lora-v9@1/: publish it first" in missing.stderr


def test_an_engine_waits_for_half_a_model_only_so_long(run: Run, bucket: Any) -> None:  # noqa: ANN401
    bucket.put_object(Key=f"{PREFIX}/config.json", Body=b"{}")
    late = run(FETCH)
    assert late.returncode == 1
    assert f"gave up after 0 s: no s3://{bucket.name}/{PREFIX}/_complete" in late.stderr
    assert "pause the stage" in late.stderr
    bucket.put_object(Key=f"{PREFIX}/_complete", Body=b"")
    assert run(FETCH).returncode == 0
