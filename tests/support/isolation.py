"""Without a network: a namespace of the kernel's that has no interface but a loopback, down."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Final

PREFIX: Final = ("unshare", "--map-root-user", "--net", "--")


@cache
def is_permitted() -> bool:
    """Some systems let only root make such a namespace, and some let nobody."""
    return (
        bool(shutil.which(PREFIX[0]))
        and not subprocess.run([*PREFIX, "true"], capture_output=True, check=False).returncode
    )


def isolated(command: Sequence[str]) -> list[str]:
    return [*PREFIX, *command]
