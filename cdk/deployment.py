"""Everything a synth needs to know, read and checked before the first construct is made."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from cdk.errors import WrongInput
from cdk.stages import STAGES_TOML, Stage, load_stage
from gpu_fleet.engines import ENGINES_TOML, Fleet, load_fleet
from gpu_fleet.plan import plan_fleet
from sagemaker_models.endpoints import ENDPOINTS_TOML, Endpoint, load_endpoints

ROOT: Final = Path(__file__).parents[1]
GATEWAY_TOML: Final = ROOT / "api/chalicelib/gateway.toml"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The files that are read; tests name others."""

    stages: Path = STAGES_TOML
    engines: Path = ENGINES_TOML
    endpoints: Path = ENDPOINTS_TOML
    gateway: Path = GATEWAY_TOML


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stage, with what runs on it."""

    stage: Stage
    fleet: Fleet
    endpoints: Mapping[str, Endpoint]
    paused: bool = False
    """Nothing that bills by the hour runs, but the cluster itself stays."""
    version: str = "unversioned"
    """Of what is deployed: a tag, shown in the stage's outputs."""

    @classmethod
    def read(
        cls,
        stage: str,
        *,
        paused: bool = False,
        version: str = "unversioned",
        sources: Sources | None = None,
    ) -> Self:
        """Raises WrongInput, ConfigError and EndpointsError, each in one line."""
        files = sources or Sources()
        chosen = load_stage(stage, files.stages)
        fleet = load_fleet(files.engines)
        _check_fit(fleet, files.engines)
        _check_timeouts(chosen, files.gateway)
        return cls(
            stage=chosen,
            fleet=fleet,
            endpoints=load_endpoints(files.endpoints, engines=fleet.engines),
            paused=paused,
            version=version,
        )

    @property
    def sagemaker(self) -> bool:
        """Do the team endpoints run?"""
        return self.stage.sagemaker and not self.paused


def _check_fit(fleet: Fleet, path: Path) -> None:
    for name, engine in fleet.engines.items():
        for instance in engine.instance_types:
            fit = plan_fleet(fleet, name, instance)
            if not fit.fits:
                reasons = "; ".join(fit.reasons)
                raise WrongInput(
                    f"{path.name}: engines.{name}.instance_types: it does not fit {instance}: "
                    f"{reasons} (see: make plan)"
                )


def _check_timeouts(stage: Stage, path: Path) -> None:
    """API Gateway would answer 504 before the gateway does."""
    teams: Mapping[str, Any] = tomllib.loads(path.read_text("utf-8")).get("teams", {})
    for name, team in teams.items():
        if team.get("timeout_s", 0) > stage.integration_timeout_s:
            raise WrongInput(
                f"{path.name}: teams.{name}.timeout_s: is {team['timeout_s']}; at most "
                f"{stage.integration_timeout_s}, stages.{stage.name}.integration_timeout_s"
            )
