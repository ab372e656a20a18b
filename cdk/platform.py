"""The platform of one stage: which stacks there are, and what each is given."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aws_cdk import Annotations, App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from cdk.deployment import Deployment
from cdk.errors import CdkError, WrongInput
from cdk.stacks.api import ApiStack
from cdk.stacks.cicd import CicdStack
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.fleet import FleetStack
from cdk.stacks.harness import HarnessStack
from cdk.stacks.models import ModelsStack
from cdk.stacks.namespaces import NamespacesStack
from cdk.stacks.network import NetworkStack
from cdk.stacks.observability import ObservabilityStack
from gpu_fleet.errors import FleetError
from sagemaker_models.endpoints import EndpointsError

WRONG_INPUT: Final = 64
_TEMPORARY: Final = re.compile(r"/[^\s\"]*/jsii-kernel-\w+/")
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # a git tag or commit


def main(read: Callable[[App], Deployment] | None = None) -> None:
    """`cdk synth -c stage=dev`. Wrong input is one line and exit code 64; nothing is written."""
    app = App()
    try:
        compose(app, (read or of_context)(app))
    except (CdkError, FleetError, EndpointsError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  (the command line's edge)
        sys.exit(WRONG_INPUT)
    _forget_temporary_folders(Path(app.synth().directory))


def _forget_temporary_folders(assembly: Path) -> None:
    """The folder in which CDK ran, from stack traces, so that two synths give the same bytes."""
    for report in (*assembly.glob("*.metadata.json"), *assembly.glob("validation-report.json")):
        text = report.read_text("utf-8")
        report.write_text(_TEMPORARY.sub("", text), "utf-8")


def of_context(app: App) -> Deployment:
    stage = app.node.try_get_context("stage")
    if not isinstance(stage, str):
        raise WrongInput("stage: name one: cdk synth -c stage=dev")
    paused = app.node.try_get_context("paused") or "false"
    if paused not in ("true", "false", "ending"):
        raise WrongInput(f"paused: is {paused!r}; allowed: true, false, ending")
    sagemaker = app.node.try_get_context("sagemaker") or "on"
    if sagemaker not in ("on", "off"):
        raise WrongInput(f"sagemaker: is {sagemaker!r}; allowed: on, off")
    version = str(app.node.try_get_context("version") or "unversioned")
    if not VERSION.fullmatch(version):
        raise WrongInput(f"version: is {version!r}; must be like {VERSION.pattern}")
    return Deployment.read(
        stage,
        paused=paused == "true",
        ending=paused == "ending",
        without_endpoints=sagemaker == "off",
        version=version,
    )


def compose(app: App, deployment: Deployment) -> None:
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    Tags.of(app).add("platform", "llmo")
    Tags.of(app).add("stage", deployment.stage.name)
    cicd = CicdStack(app, deployment)
    network = NetworkStack(app, deployment)
    if deployment.stage.removal == "retain" and not deployment.stage.account:
        Annotations.of(network).add_warning_v2(
            "llmo:any-account-will-do",
            f"stages.toml: stages.{deployment.stage.name}.account is missing: "
            "its data is kept in whichever account the credentials are of",
        )
    data = DataStack(app, deployment)
    for first in (network, data):
        # What all others come after: who destroys a stage by these roles takes them away last.
        first.add_stack_dependency(cicd)
    cluster = ClusterStack(app, deployment, network=network)
    namespaces = NamespacesStack(app, deployment, cluster=cluster)
    fleet = FleetStack(
        app, deployment, network=network, data=data, cluster=cluster, namespaces=namespaces
    )
    models = ModelsStack(app, deployment, network=network, data=data)
    models.add_stack_dependency(fleet)  # whose jobs bring the weights
    api = ApiStack(app, deployment, network=network, data=data)
    api.add_stack_dependency(fleet)  # whose addresses it is given: they change with the domain
    harness = HarnessStack(app, deployment, data=data, api=api)
    observability = ObservabilityStack(
        app,
        deployment,
        network=network,
        data=data,
        cluster=cluster,
        namespaces=namespaces,
        fleet=fleet,
        models=models,
        api=api,
        harness=harness,
    )
    observability.add_stack_dependency(models)  # it tells the version, so it comes last
