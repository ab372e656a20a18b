from dataclasses import replace
from typing import Final

import pytest

from cdk.deployment import Deployment
from cdk.kubernetes import keda

DEV: Final = Deployment.read("dev")
PARTS: Final = ("operator", "metricsServer", "webhooks")


@pytest.mark.parametrize(("paused", "replicas"), [(False, 1), (True, 0)])
def test_a_paused_stage_runs_none_of_it(*, paused: bool, replicas: int) -> None:
    values = keda.values(replace(DEV, paused=paused))
    assert {values[part]["replicaCount"] for part in PARTS} == {replicas}


def test_its_webhook_never_stands_in_the_way() -> None:
    """While paused nobody answers it; `Fail` would refuse every deploy of an engine."""
    assert keda.values(DEV)["webhooks"]["failurePolicy"] == "Ignore"


def test_its_pods_keep_the_rules_of_their_namespace() -> None:
    values = keda.values(DEV)
    assert keda.namespace(DEV.stage).pod_security == "restricted"
    for pod in keda.PODS:
        assert values["podSecurityContext"][pod] == {"runAsNonRoot": True}
        assert values["securityContext"][pod]["capabilities"] == {"drop": ["ALL"]}
        assert values["securityContext"][pod]["allowPrivilegeEscalation"] is False
        assert values["securityContext"][pod]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert values["resources"][pod]["limits"].keys() == {"cpu", "memory"}


def test_it_reads_no_secrets_of_others() -> None:
    permissions = keda.values(DEV)["permissions"]
    assert {one["restrict"]["secret"] for one in permissions.values()} == {True}
