"""Who may deploy: workflows of this repository, in a stage's environment, and nobody else."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from aws_cdk import App, Stack

from cdk.constructs.pipeline_roles import PipelineRoles
from cdk.stages import load_stage
from tests.support.synth import STAGES, Template, resources, templates

ISSUER: Final = "token.actions.githubusercontent.com"
stages = pytest.mark.parametrize("stage", STAGES)


def roles(stage: str) -> dict[str, dict[str, Any]]:
    found = resources(templates(stage)["cicd"], "AWS::IAM::Role").values()
    return {one["Properties"]["RoleName"]: one["Properties"] for one in found}


def statements(stage: str, role: str) -> list[dict[str, Any]]:
    template = templates(stage)["cicd"]
    (logical,) = (
        name
        for name, one in resources(template, "AWS::IAM::Role").items()
        if one["Properties"]["RoleName"] == role
    )
    (policy,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in resources(template, "AWS::IAM::Policy").values()
        if one["Properties"]["Roles"] == [{"Ref": logical}]
    )
    found: list[dict[str, Any]] = policy
    return found


def arn(joined: Any) -> str:  # noqa: ANN401  (CloudFormation)
    parts = joined["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else "123456789012" for part in parts)


@stages
def test_only_the_environments_own_workflow_of_a_branch_is_believed(stage: str) -> None:
    github = load_stage(stage).github
    for role, workflow in ((f"llmo-{stage}-deploy", "stage"), (f"llmo-{stage}-smoke", "smoke")):
        (statement,) = roles(stage)[role]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Principal"].keys() == {"Federated"}
        file = f"{github.repository}/.github/workflows/{workflow}.yaml"
        assert statement["Condition"] == {
            "StringEquals": {
                f"{ISSUER}:aud": "sts.amazonaws.com",
                f"{ISSUER}:sub": f"repo:{github.repository}:environment:{stage}",
                f"{ISSUER}:job_workflow_ref": [
                    f"{file}@refs/heads/{branch}" for branch in github.branches
                ],
            }
        }


def synthesised(stage: str, *, existing: bool = True, **github: Any) -> Template:  # noqa: ANN401
    """The roles alone, of a stage whose `github` entry has these, too."""
    app = App()
    entry = load_stage(stage)
    told = replace(entry, github=replace(entry.github, **github))
    PipelineRoles(Stack(app, "alone"), "roles", stage=told, existing=existing)
    template: Template = app.synth().get_stack_by_name("alone").template
    return template


def conditions(template: Template) -> list[dict[str, Any]]:
    return [
        one["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        for one in resources(template, "AWS::IAM::Role").values()
    ]


def test_prod_believes_files_of_main_only() -> None:
    for condition in conditions(templates("prod")["cicd"]):
        (file,) = condition[f"{ISSUER}:job_workflow_ref"]
        assert file.endswith("@refs/heads/main")


def test_a_repository_with_numbers_is_believed_by_them() -> None:
    found = conditions(
        synthesised("dev", repository="lab/llm", owner_id="123456", repository_id="456789")
    )
    assert len(found) == 2
    for condition in found:
        assert condition[f"{ISSUER}:sub"] == "repo:lab@123456/llm@456789:environment:dev"
        assert condition[f"{ISSUER}:repository_id"] == "456789"
        (file,) = condition[f"{ISSUER}:job_workflow_ref"]
        assert file.startswith("lab/llm/.github/workflows/")


def test_a_repository_without_numbers_is_believed_by_its_name() -> None:
    for condition in conditions(synthesised("dev", repository="lab/llm")):
        assert condition[f"{ISSUER}:sub"] == "repo:lab/llm:environment:dev"
        assert f"{ISSUER}:repository_id" not in condition


@stages
def test_what_deploys_may_only_become_the_bootstrap_roles_of_its_place(stage: str) -> None:
    become, _ = statements(stage, f"llmo-{stage}-deploy")
    assert become["Action"] == "sts:AssumeRole"
    place = f"123456789012-{load_stage(stage).region}"
    assert [arn(one) for one in become["Resource"]] == [
        f"arn:aws:iam::123456789012:role/cdk-hnb659fds-{name}-role-{place}"
        for name in ("deploy", "file-publishing", "lookup")
    ]


@stages
def test_what_deploys_reads_two_parameters_that_exist(stage: str) -> None:
    _, read = statements(stage, f"llmo-{stage}-deploy")
    assert read["Action"] == "ssm:GetParameter"
    asked = {arn(one).rpartition(":parameter")[2] for one in read["Resource"]}
    assert asked == {f"/llmo/{stage}/paused", f"/llmo/{stage}/weights-bucket"}
    assert asked <= {
        one["Properties"].get("Name")
        for template in templates(stage).values()
        for one in resources(template, "AWS::SSM::Parameter").values()
    }


@stages
def test_what_deploys_sees_which_weights_are_there_and_reads_none(stage: str) -> None:
    data = templates(stage)["data"]
    (policy,) = (
        one["Properties"]
        for one in resources(data, "AWS::IAM::Policy").values()
        if one["Properties"]["Roles"] == [f"llmo-{stage}-deploy"]
    )
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:ListBucket"
    (bucket,) = statement["Resource"]["Fn::GetAtt"][:1]
    assert bucket.startswith("BucketsWeights")
    assert statement["Condition"] == {"StringLike": {"s3:prefix": ["models/*", "adapters/*"]}}


@stages
def test_what_smokes_reads_two_parameters_and_one_secret_that_exist(stage: str) -> None:
    parameters, secret = statements(stage, f"llmo-{stage}-smoke")
    region = load_stage(stage).region
    told = [f"/llmo/{stage}/paused", f"/llmo/{stage}/url"]
    assert parameters["Action"] == "ssm:GetParameter"
    assert [arn(one) for one in parameters["Resource"]] == [
        f"arn:aws:ssm:{region}:123456789012:parameter{name}" for name in told
    ]
    assert (secret["Action"], arn(secret["Resource"])) == (
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:{region}:123456789012:secret:llmo/{stage}/harness-key-??????",
    )
    others = templates(stage)
    assert set(told) <= {
        one["Properties"].get("Name")
        for template in others.values()
        for one in resources(template, "AWS::SSM::Parameter").values()
    }
    assert f"llmo/{stage}/harness-key" in {
        one["Properties"].get("Name")
        for one in resources(others["data"], "AWS::SecretsManager::Secret").values()
    }


@stages
def test_no_role_may_do_everything_and_sessions_end(stage: str) -> None:
    for name, role in roles(stage).items():
        assert "ManagedPolicyArns" not in role
        assert role["MaxSessionDuration"] <= 2 * 3600
        for statement in statements(stage, name):
            assert "*" not in json.dumps([statement["Action"], statement["Resource"]])


def test_the_identity_provider_outlives_the_stage_that_made_it() -> None:
    template = synthesised("dev", existing=False)
    ((logical, provider),) = resources(template, "AWS::IAM::OIDCProvider").items()
    assert provider["DeletionPolicy"] == "Retain"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]
    assert provider["Properties"]["Url"] == f"https://{ISSUER}"
    for role in resources(template, "AWS::IAM::Role").values():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert logical in json.dumps(statement["Principal"])


@stages
def test_no_shipped_stage_makes_the_provider_that_an_account_can_have_once(stage: str) -> None:
    assert resources(templates(stage)["cicd"], "AWS::IAM::OIDCProvider") == {}


def test_an_account_that_has_the_provider_gets_no_second_one() -> None:
    template = synthesised("staging")
    assert resources(template, "AWS::IAM::OIDCProvider") == {}
    (federated,) = {
        arn(one["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"])
        for one in resources(template, "AWS::IAM::Role").values()
    }
    assert federated == f"arn:123456789012:iam::123456789012:oidc-provider/{ISSUER}"


@stages
def test_a_stage_tells_which_version_it_runs(stage: str) -> None:
    """By the stack that comes last: what it tells is deployed, all of it."""
    told = {
        one["Properties"]["Name"]: one["Properties"]["Value"]
        for one in resources(templates(stage)["observability"], "AWS::SSM::Parameter").values()
    }
    assert told[f"/llmo/{stage}/version"] == "unversioned"
