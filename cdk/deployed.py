"""What a deployed stage tells, asked by AWS's command line with the credentials of who deploys."""

import re
import subprocess
from typing import Final

from cdk import names
from cdk.errors import CdkError
from cdk.stages import Stage

_CODE: Final = re.compile(r"An error occurred \((\w+)\)")


class NotTold(CdkError):  # noqa: N818  (what it is)
    """AWS didn't answer, or refused to; one line."""


def is_paused(stage: Stage) -> bool:
    """Not so, too, where there is no such stage (any more)."""
    return _parameter(stage, "paused") == "true"


def weights_bucket(stage: Stage) -> str | None:
    """None before the first deploy."""
    return _parameter(stage, "weights-bucket")


def has_object(stage: Stage, bucket: str, key: str) -> bool:
    """By listing, which reads no weights; a longer key that begins the same isn't it."""
    listing = ("list-objects-v2", "--no-paginate", "--bucket", bucket, "--prefix", key)
    asked = f"Contents[?Key=='{key}'].Key"
    return _aws(stage, "s3api", *listing, "--max-keys", "1", "--query", asked) == key


def _parameter(stage: Stage, part: str) -> str | None:
    name = names.parameter(stage, part)
    asked = ("get-parameter", "--name", name, "--query", "Parameter.Value")
    try:
        return _aws(stage, "ssm", *asked)
    except _Refused as error:
        if error.code == "ParameterNotFound":
            return None
        raise


class _Refused(NotTold):
    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def _aws(stage: Stage, service: str, *words: str) -> str:
    command = ["aws", service, *words, "--output", "text", "--region", stage.region]
    try:
        done = subprocess.run(  # noqa: S603  (no shell)
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotTold(f"can't run AWS's command line, aws: {error.strerror}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())
        found = _CODE.search(said)
        raise _Refused(f"aws {service} {words[0]}: {said}", found[1] if found else "")
    return done.stdout.strip()
