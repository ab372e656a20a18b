"""`python -m cdk.bootstrap_key dev --name ada`: the first key of a deployed stage.

Runs api/bootstrap_key.py with the stage's names. Credentials are those of the environment, as a
function has them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from cdk import names
from cdk.assets import ROOT
from cdk.errors import WrongInput
from cdk.stages import Stage, load_stage
from gpu_fleet.errors import FleetError

WRONG_INPUT: Final = 64


def environment(stage: Stage) -> Mapping[str, str]:
    """What the gateway's functions are told, by names instead of by references."""
    return {
        "STAGE": stage.name,
        "AWS_REGION": stage.region,
        "KEYS_TABLE": names.prefixed(stage, "keys"),
        "AUDIT_TABLE": names.prefixed(stage, "audit"),
        "PEPPER_SECRET": names.secret(stage, "key-pepper"),
    }


def main(arguments: Sequence[str]) -> None:
    try:
        told = environment(load_stage(next(iter(arguments), "")))
    except (WrongInput, FleetError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  (the command line's edge)
        sys.exit(WRONG_INPUT)
    script = str(ROOT / "api/bootstrap_key.py")
    command = [sys.executable, script, *arguments[1:]]
    os.execve(sys.executable, command, {**os.environ, **told})  # noqa: S606  (our own script)


if __name__ == "__main__":
    main(sys.argv[1:])
