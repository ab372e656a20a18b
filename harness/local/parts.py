"""How each part of the stack is started: its command and its environment."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.local import environment
from harness.local.layout import Layout
from harness.local.processes import STOP_WITHIN_S, Part
from harness.local.state import AwsAccess

PEPPER_SECRET: Final = "llmo/key-pepper"  # noqa: S105  (the secret's name)
ENGINE_KEY_SECRET: Final = "llmo/engine-key"  # noqa: S105
_TABLE_VARIABLES: Final = {
    # output of api/tables.template.json: variable of the gateway
    "KeysTable": "KEYS_TABLE",
    "RoutingTable": "ROUTING_TABLE",
    "AuditTable": "AUDIT_TABLE",
}
_ENGINES_STOP_WITHIN_S: Final = 50.0
"""They finish what they are generating first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    layout: Layout
    engine_key: str

    def aws_stand_in(self, url_file: Path) -> Part:
        return self._python("aws", "-m", "harness.local.aws_stand_in", str(url_file))

    def engines(self) -> Part:
        layout = self.layout
        return self._python(
            "engines",
            *("-m", "gpu_fleet", "up"),
            *("--models", str(layout.build / "models")),
            *("--state", str(layout.engines_state)),
            *("--environment", str(layout.root / ".venvs" / "engine")),
            *("--logs", str(layout.logs / "engines")),
            *("--cache", str(layout.build / "cache")),
            extra={"VLLM_API_KEY": self.engine_key},
            stop_within_s=_ENGINES_STOP_WITHIN_S,
            # Four engines on few cores must not keep the gateway from its tables.
            niceness=5,
        )

    def sagemaker_runtime(self, engines: Path, state: Path, aws: AwsAccess) -> Part:
        return self._python(
            "sagemaker-runtime",
            *("-m", "sagemaker_models.runtime", "--port", "0"),
            *("--engines", str(engines)),
            *("--state", str(state)),
            extra={**environment.aws(aws), "VLLM_API_KEY": self.engine_key},
        )

    def gateway(self, url_file: Path, settings: Mapping[str, str]) -> Part:
        return self._python(
            "gateway",
            str(self.layout.root / "api" / "local_server.py"),
            *("--port", "0", "--url-file", str(url_file)),
            extra=settings,
        )

    def _python(
        self,
        name: str,
        *arguments: str,
        extra: Mapping[str, str] | None = None,
        stop_within_s: float = STOP_WITHIN_S,
        niceness: int = 0,
    ) -> Part:
        return Part(
            name=name,
            command=("nice", "-n", str(niceness), sys.executable, *arguments),
            environment={**environment.base(), **(extra or {}), "PYTHONUNBUFFERED": "1"},
            log=self.layout.log(name),
            stop_within_s=stop_within_s,
        )


def gateway_settings(
    *,
    aws: AwsAccess,
    tables: Mapping[str, str],
    engines: Mapping[str, str],
    sagemaker_runtime_url: str,
) -> dict[str, str]:
    """The gateway's environment: what a deployed stage gives its Lambdas, and where AWS is here."""
    return {
        **environment.aws(aws),
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker_runtime_url,
        "STAGE": "local",
        "PEPPER_SECRET": PEPPER_SECRET,
        "ENGINE_URLS": json.dumps(dict(engines)),
        # One for all: they run under one user, who could read any.
        "ENGINE_KEY_SECRETS": json.dumps(dict.fromkeys(engines, ENGINE_KEY_SECRET)),
        **{variable: tables[output] for output, variable in _TABLE_VARIABLES.items()},
    }
