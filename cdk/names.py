"""Names that more than one stack, or something outside of CDK, must agree on."""

from typing import Final

from cdk.stages import Stage

PREFIX: Final = "llmo"
NAMESPACE: Final = "llm-baseline"
"""Of the engines."""


def prefixed(stage: Stage, part: str) -> str:
    """Of stacks and of resources that need a name: `llmo-dev-keys`."""
    return f"{PREFIX}-{stage.name}-{part}"


def secret(stage: Stage, part: str) -> str:
    return f"{PREFIX}/{stage.name}/{part}"


def engine_key(stage: Stage, engine: str) -> str:
    """Of the secret that an engine asks its callers for."""
    return secret(stage, f"engine-key/{engine}")


def parameter(stage: Stage, part: str) -> str:
    """Of SSM: where operations and workflows find a stage."""
    return f"/{PREFIX}/{stage.name}/{part}"


def private_zone(stage: Stage) -> str:
    """The network's own zone. It stays when the stage gets a domain: other stacks import it."""
    return f"{stage.name}.{PREFIX}.internal"


def engines_zone(stage: Stage) -> str:
    """Where engines and the collector have their names, within the network only; under the stage's
    domain where it has one, because a certificate can be had for that.
    """
    return f"engines.{stage.domain.name}" if stage.domain else private_zone(stage)


def engine_host(stage: Stage, engine: str) -> str:
    return f"{engine}.{engines_zone(stage)}"


def collector_host(stage: Stage) -> str:
    return f"otel.{engines_zone(stage)}"


def url(stage: Stage, host: str) -> str:
    """Of something behind the internal load balancer; TLS wherever a certificate can be had."""
    return f"{'https' if stage.domain else 'http'}://{host}"


def endpoint(stage: Stage, name: str) -> str:
    """SageMaker endpoints have the names that gateway.toml and endpoints.toml use, per stage."""
    return prefixed(stage, name)
