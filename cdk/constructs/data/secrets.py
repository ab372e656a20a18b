"""Secrets: those that nobody needs to know are generated, those from elsewhere begin empty.

Encrypted with the account's key for Secrets Manager: a key of ours would be for sharing them with
other accounts, which nobody should.
"""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IConstruct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.stages import Stage

_ROTATION: Final = "AwsSolutions::AwsSolutions-SMG4"
_LENGTH: Final = 64


class Secrets(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage, removal: RemovalPolicy) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._removal = removal
        self.key_pepper = self._build_generated(
            "key-pepper",
            "Without it a stolen table of keys is of no use",
            unrotated="A new pepper would make every caller's key invalid; keys themselves expire.",
        )
        self.grafana_admin = self._build_generated(
            "grafana-admin",
            "Password of Grafana's user admin",
            unrotated=(
                "Grafana keeps the password in its own database after its first start; a new one "
                "is set in both by an operator, and Grafana is reached within the network only."
            ),
        )
        self.hub_token = self._build_empty(
            "hub-token",
            "Token of the model hub, which an operator puts here",
            unrotated="The model hub issues it, and offers nothing by which it could be rotated.",
        )
        self.harness_key = self._build_empty(
            "harness-key",
            "The harness's key for the gateway, which an operator puts here",
            unrotated="The gateway issues it, with an end date; an operator puts the next here.",
        )

    def _build_generated(
        self, part: str, description: str, *, unrotated: str
    ) -> secretsmanager.ISecret:
        return generated(
            self,
            part,
            name=names.secret(self._stage, part),
            description=description,
            removal=self._removal,
            unrotated=unrotated,
        )

    def _build_empty(
        self, part: str, description: str, *, unrotated: str
    ) -> secretsmanager.ISecret:
        """No value rather than a placeholder: what needs it must fail, not go on with nonsense."""
        resource = secretsmanager.CfnSecret(
            self,
            f"{part}-resource",
            name=names.secret(self._stage, part),
            description=description,
        )
        resource.apply_removal_policy(self._removal)
        _accept_unrotated(resource, unrotated)
        return secretsmanager.Secret.from_secret_complete_arn(self, part, resource.ref)


def generated(
    scope: Construct,
    id_: str,
    *,
    name: str,
    description: str,
    removal: RemovalPolicy,
    unrotated: str,
) -> secretsmanager.ISecret:
    """64 letters and digits that nobody needs to know; `unrotated` says why they stay."""
    secret = secretsmanager.Secret(
        scope,
        id_,
        secret_name=name,
        description=description,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            exclude_punctuation=True, password_length=_LENGTH
        ),
        removal_policy=removal,
    )
    _accept_unrotated(secret, unrotated)
    return secret


def engine_key(scope: Construct, stage: Stage, engine: str) -> secretsmanager.ISecret:
    """It goes with its engine, wherever: another can be made at any time."""
    return generated(
        scope,
        f"{engine}-key",
        name=names.engine_key(stage, engine),
        description=f"What the gateway shows to {engine}",
        removal=RemovalPolicy.DESTROY,
        unrotated=(
            "An engine reads its key when it starts: a new one goes with restarting the engine, "
            "which an operator plans, and only the gateway's functions reach it."
        ),
    )


def _accept_unrotated(secret: IConstruct, why: str) -> None:
    acknowledge(secret, {_ROTATION: why})
