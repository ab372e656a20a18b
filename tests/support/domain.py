"""A stage that has a domain: one more line in its entry, in another checkout."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.support import checkout
from tests.support.synth import Template, run_app

STAGE: Final = "staging"
"""It has endpoints, too, so nearly all that stacks can import from each other."""
_DOMAIN: Final = """
domain = { name = "llm.example.org", hosted_zone_id = "Z0", hosted_zone_name = "example.org" }
"""


@cache
def with_domain() -> Mapping[str, Template]:
    """By part; made once for all tests of a run."""
    with TemporaryDirectory(prefix="domain-") as folder:
        root = checkout.copy(Path(folder))
        entry = f"[stages.{STAGE}]"
        checkout.replace(root, "cdk/stages.toml", f"{entry}\n", f"{entry}{_DOMAIN}")
        done = run_app(root / "out", f"stage={STAGE}", root=root)
        if done.returncode:
            raise RuntimeError(f"synth with a domain ended with {done.returncode}:\n{done.stderr}")
        return checkout.templates(root / "out", STAGE)
