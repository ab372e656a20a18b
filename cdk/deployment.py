"""Everything a synth needs to know, read and checked before the first construct is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from cdk.errors import WrongInput
from cdk.stages import STAGES_TOML, Stage, load_stage
from gpu_fleet.engines import ENGINES_TOML, Fleet, load_fleet
from gpu_fleet.errors import ConfigError
from gpu_fleet.plan import plan_fleet
from gpu_fleet.strict_toml import read_toml
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
    ending: bool = False
    """A paused stage whose cluster works again so that it can be destroyed. It still counts as
    paused: who doesn't destroy it after all has it paused again by the next deploy.
    """
    without_endpoints: bool = False
    """As before the weights are in the bucket: an endpoint without them fails its whole stack."""
    version: str = "unversioned"
    """Of what is deployed: a tag, shown in the stage's outputs."""

    @classmethod
    def read(
        cls,
        stage: str,
        *,
        paused: bool = False,
        ending: bool = False,
        without_endpoints: bool = False,
        version: str = "unversioned",
        sources: Sources | None = None,
    ) -> Self:
        """Raises WrongInput, ConfigError and EndpointsError, each in one line."""
        files = sources or Sources()
        chosen = load_stage(stage, files.stages)
        fleet = load_fleet(files.engines)
        _check_fit(fleet, files.engines)
        _check_gpus(chosen, fleet, files.stages)
        _check_timeouts(chosen, files.gateway)
        return cls(
            stage=chosen,
            fleet=fleet,
            endpoints=load_endpoints(files.endpoints, engines=fleet.engines),
            paused=paused,
            ending=ending,
            without_endpoints=without_endpoints,
            version=version,
        )

    @property
    def sagemaker(self) -> bool:
        """Do the team endpoints run?"""
        return self.stage.sagemaker and not (self.paused or self.without_endpoints)


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


def _check_gpus(stage: Stage, fleet: Fleet, path: Path) -> None:
    """An engine has a GPU of its own; one without would wait for a node that may not come."""
    wanted = {name: engine.replicas.min for name, engine in fleet.engines.items()}
    if sum(wanted.values()) > stage.gpu.limit:
        told = ", ".join(f"{name} {count}" for name, count in wanted.items())
        raise ConfigError(
            path.name,
            f"stages.{stage.name}.gpu.limit",
            f"is {stage.gpu.limit}; the engines want at least {sum(wanted.values())}: {told}",
        )


def _check_timeouts(stage: Stage, path: Path) -> None:
    """API Gateway would answer 504 before the gateway does. The rest of the file is the gateway's
    to check.
    """
    for name, team in _tables(path, "teams").items():
        timeout_s = team.get("timeout_s")
        if not isinstance(timeout_s, int | float) or isinstance(timeout_s, bool):
            raise ConfigError(path.name, f"teams.{name}.timeout_s", "must be a number of seconds")
        if timeout_s > stage.integration_timeout_s:
            raise ConfigError(
                path.name,
                f"teams.{name}.timeout_s",
                f"is {timeout_s}; at most {stage.integration_timeout_s}, "
                f"stages.{stage.name}.integration_timeout_s",
            )


def _tables(path: Path, key: str) -> Mapping[str, Mapping[str, Any]]:
    tables = read_toml(path).get(key)
    if not isinstance(tables, dict) or not all(isinstance(one, dict) for one in tables.values()):
        raise ConfigError(path.name, key, "must be a table of tables")
    return tables
