"""Who GitHub's workflows are in AWS: no stored keys, one role for each thing they do."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.stages import GitHub, Stage

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
QUALIFIER: Final = "hnb659fds"
"""Of `cdk bootstrap`, unless told otherwise."""
BOOTSTRAP_ROLES: Final = ("deploy", "file-publishing", "lookup")
"""No images are built, so none are published."""
DEPLOY_HOURS: Final = 2  # a first deployment makes a cluster


class PipelineRoles(Construct):
    """`existing`: the account has GitHub's identity provider already; it can have only one."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, existing: bool) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._stack = Stack.of(self)
        self._provider_arn = self._known_arn() if existing else self._build_provider()
        self.deploy = self._build_deploy()
        self.smoke = self._build_smoke()

    def _known_arn(self) -> str:
        return self._stack.format_arn(
            service="iam", region="", resource="oidc-provider", resource_name=ISSUER
        )

    def _build_provider(self) -> str:
        """It costs nothing and stays: other stages of the account may log in by it."""
        provider = iam.OidcProviderNative(
            self,
            "provider",
            url=f"https://{ISSUER}",
            client_ids=[AUDIENCE],
            removal_policy=RemovalPolicy.RETAIN,
        )
        return provider.oidc_provider_arn

    def _build_deploy(self) -> iam.Role:
        """May become what `cdk bootstrap` made, in this account and region. By itself it reads what
        a deploy and a destroy ask first: is the stage paused, and where its weights are.
        """
        role = self._build_role("deploy", "stage.yaml", Duration.hours(DEPLOY_HOURS))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[self._bootstrap_role(name) for name in BOOTSTRAP_ROLES],
            )
        )
        self._let_read(role, "paused", "weights-bucket")
        return role

    def _build_smoke(self) -> iam.Role:
        """Reads where the stage is, whether it is paused, and the key to ask it with."""
        role = self._build_role("smoke", "smoke.yaml", Duration.hours(1))
        self._let_read(role, "url", "paused")
        key = names.secret(self._stage, "harness-key")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                # Secrets Manager puts six characters of its own behind the name.
                resources=[f"{self._arn('secretsmanager', 'secret', key, ':')}-??????"],
            )
        )
        return role

    def _let_read(self, role: iam.Role, *parameters: str) -> None:
        found = [names.parameter(self._stage, one).removeprefix("/") for one in parameters]
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter"],
                resources=[self._arn("ssm", "parameter", name) for name in found],
            )
        )

    def _build_role(self, part: str, workflow: str, session: Duration) -> iam.Role:
        return iam.Role(
            self,
            part,
            role_name=names.prefixed(self._stage, part),
            description=f"GitHub's workflow {workflow}, for {self._stage.name}",
            max_session_duration=session,
            assumed_by=iam.FederatedPrincipal(
                self._provider_arn,
                {"StringEquals": self._claims(workflow)},
                "sts:AssumeRoleWithWebIdentity",
            ),
        )

    def _claims(self, workflow: str) -> dict[str, str | Sequence[str]]:
        """All of these. The environment alone would not do: a pull request's job may name it."""
        github = self._stage.github
        file = f"{github.repository}/.github/workflows/{workflow}"
        claims: dict[str, str | Sequence[str]] = {
            f"{ISSUER}:aud": AUDIENCE,
            f"{ISSUER}:sub": f"repo:{_subject(github)}:environment:{self._stage.name}",
            # A pull request's own files are `@refs/pull/…`.
            f"{ISSUER}:job_workflow_ref": [f"{file}@refs/heads/{one}" for one in github.branches],
        }
        if github.repository_id:
            claims[f"{ISSUER}:repository_id"] = github.repository_id
        return claims

    def _bootstrap_role(self, name: str) -> str:
        place = f"{self._stack.account}-{self._stage.region}"
        return self._stack.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{QUALIFIER}-{name}-role-{place}",
        )

    def _arn(self, service: str, kind: str, name: str, separator: str = "/") -> str:
        return f"{self._stack.format_arn(service=service, resource=kind)}{separator}{name}"


def _subject(github: GitHub) -> str:
    """Names alone, or each with the number that nobody gets again once the name is free."""
    if not (github.owner_id and github.repository_id):
        return github.repository
    owner, name = github.repository.split("/")
    return f"{owner}@{github.owner_id}/{name}@{github.repository_id}"
