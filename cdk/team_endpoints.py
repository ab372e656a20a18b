"""What a stage runs of endpoints.toml: names, engines, weights. Nothing of AWS's library."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk import names
from cdk.deployment import Deployment
from cdk.errors import WrongInput
from cdk.weights import adapter_archives
from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import model_prefix
from gpu_fleet.plan import plan_fleet
from sagemaker_models.endpoints import Endpoint, ProductionVariant

LONGEST_NAME: Final = 63


@dataclass(frozen=True, kw_only=True)
class TeamEndpoint:
    """An entry of endpoints.toml on a stage; deployed names have the stage's prefix."""

    name: str
    deployed_name: str
    entry: Endpoint
    engines: Mapping[str, Engine]
    """By production variant."""
    base: str | None
    """The component of the base, on an endpoint that has components."""
    adapters: Mapping[str, str]
    """Key of its weights, by adapter's component."""

    @property
    def components(self) -> tuple[str, ...]:
        """Deployed names, the base's first."""
        return (self.base, *self.adapters) if self.base else ()

    @property
    def objects(self) -> list[str]:
        """Keys in the bucket that it reads."""
        models = {f"{model_prefix(engine)}/*" for engine in self.engines.values()}
        return sorted({*models, *self.adapters.values()})

    @property
    def logs(self) -> list[str]:
        """Names that SageMaker gives to its log groups."""
        return [
            f"/aws/sagemaker/Endpoints/{self.deployed_name}",
            *(f"/aws/sagemaker/InferenceComponents/{name}" for name in self.components),
        ]

    @property
    def only_variant(self) -> tuple[str, ProductionVariant]:
        """Components share instances, so their endpoint has one kind of them."""
        [variant] = self.entry.variants.items()
        return variant


def team_endpoints(deployment: Deployment) -> list[TeamEndpoint]:
    """Raises WrongInput for names that don't meet, and for an engine that doesn't fit."""
    return [_team_endpoint(deployment, *entry) for entry in deployment.endpoints.items()]


def ec2_type(instance_type: str) -> str:
    """`ml.g5.xlarge` is EC2's g5.xlarge."""
    return instance_type.removeprefix("ml.")


def _team_endpoint(deployment: Deployment, name: str, entry: Endpoint) -> TeamEndpoint:
    _check_fit(deployment, name, entry)
    engines = {one: deployment.fleet.engines[it.engine] for one, it in entry.variants.items()}
    deployed = {
        part: names.endpoint(deployment.stage, part) for part in (name, *entry.inference_components)
    }
    for part, deployed_name in deployed.items():
        if len(deployed_name) > LONGEST_NAME:
            raise WrongInput(
                f"endpoints.toml: endpoints.{name}: {part!r} is {deployed_name!r} on this stage; "
                f"SageMaker takes {LONGEST_NAME} characters at most"
            )
    base, adapters = _components(name, entry, deployment.fleet.engines)
    return TeamEndpoint(
        name=name,
        deployed_name=deployed[name],
        entry=entry,
        engines=engines,
        base=deployed[base] if base else None,
        adapters={deployed[adapter]: key for adapter, key in adapters.items()},
    )


def _components(
    name: str, entry: Endpoint, engines: Mapping[str, Engine]
) -> tuple[str | None, dict[str, str]]:
    """The base, and the key of each adapter."""
    if not entry.inference_components:
        return None, {}
    key = f"endpoints.toml: endpoints.{name}"
    if len(entry.variants) != 1:
        raise WrongInput(f"{key}.variants: must be one where there are inference components")
    [variant] = entry.variants.values()
    archives = adapter_archives(engines[variant.engine])
    if variant.engine not in entry.inference_components:
        raise WrongInput(f"{key}.inference_components: must name the base, {variant.engine!r}")
    adapters = [one for one in entry.inference_components if one != variant.engine]
    for adapter in adapters:
        if adapter not in archives:
            known = ", ".join(archives) or "none"
            raise WrongInput(
                f"{key}.inference_components: {variant.engine} has no adapter {adapter!r}; "
                f"there are: {known}"
            )
    return variant.engine, {adapter: archives[adapter] for adapter in adapters}


def _check_fit(deployment: Deployment, name: str, entry: Endpoint) -> None:
    for variant, reason in _misfits(deployment, entry):
        raise WrongInput(
            f"endpoints.toml: endpoints.{name}.variants.{variant}.instance_type: {reason}"
        )


def _misfits(deployment: Deployment, entry: Endpoint) -> Iterator[tuple[str, str]]:
    instances = deployment.fleet.instances
    for name, variant in entry.variants.items():
        instance = ec2_type(variant.instance_type)
        if instance not in instances:
            yield name, f"{instance} is not in instances.toml: {', '.join(instances)}"
            continue
        fit = plan_fleet(deployment.fleet, variant.engine, instance)
        if not fit.fits:
            yield name, f"{variant.engine} does not fit {instance}: {'; '.join(fit.reasons)}"
