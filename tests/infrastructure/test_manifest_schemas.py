"""Strict validation catches what Kubernetes would silently drop, in every kind that there is."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

import pytest

from tests.support.kubernetes_schema import custom, errors
from tests.support.synth import manifests

CUSTOM: Final = {"NodeClass", "NodePool", "ScaledObject", "SecretProviderClass"} | {
    "TargetGroupBinding",
    "ApplicationNetworkPolicy",
}
# Path within the object, and a value that its schema must refuse.
WRONG: Final[Mapping[str, tuple[tuple[tuple[str | int, ...], object], ...]]] = {
    "NodeClass": (
        (("spec", "role"), "arn:aws:iam::123456789012:role/node"),
        (("spec", "networkPolicy"), "Deny"),
        (("spec", "subnetSelectorTerms"), []),
        (("spec", "ephemeralStorage", "size"), "100"),
    ),
    "NodePool": (
        (("spec", "template", "spec", "expireAfter"), "two weeks"),
        (("spec", "template", "spec", "requirements", 0, "values"), []),
        (("spec", "template", "spec", "requirements", 0, "key"), "karpenter.k8s.aws/instance-cpu"),
        (("spec", "disruption", "consolidationPolicy"), "Always"),
        (("spec", "disruption", "budgets", 0, "reasons"), ["Expired"]),
    ),
    "TargetGroupBinding": (
        (("spec", "targetType"), "lambda"),
        (("spec", "serviceRef"), {"name": "engine"}),
    ),
    "ScaledObject": (
        (("spec", "maxReplicaCount"), 0),
        (("spec", "triggers"), []),
        (("spec", "triggers", 0, "metadata", "treshold"), "1"),
        (("spec", "triggers", 0, "metadata", "threshold"), 1),
    ),
    "SecretProviderClass": (
        (("spec", "provider"), "vault"),
        (("spec", "parameters", "usePodIdentity"), True),
        (("spec", "parameters", "objects"), "[{objectNam: key}]"),
        (("spec", "parameters", "objects"), "[]"),
    ),
    "Deployment": (
        (("spec", "replicas"), "three"),
        (("spec", "template", "spec", "containers", 0, "resource"), {}),
        (("spec", "template", "spec", "tolerations"), [{"operater": "Exists"}]),
    ),
    "NetworkPolicy": ((("spec", "egres"), []),),
    "ApplicationNetworkPolicy": (
        (("spec", "egress", 1, "to", 0, "domainNames"), []),
        (("spec", "egress", 1, "to", 0, "domainNames", 0), "https://s3.amazonaws.com"),
        (("spec", "egress", 1, "to", 0, "domainNames", 0), "s3.*.amazonaws.com"),
        (("spec", "egress", 1, "to", 0, "ipBlock"), {"cidr": "10.0.0.0/8"}),
        (("spec", "ingress"), [{"from": [{"domainNames": ["example.com"]}]}]),
        (("spec", "podSelecter"), {}),
    ),
}


def test_custom_kinds_have_schemas() -> None:
    having = {kind for _, kind in custom()}
    assert having == CUSTOM
    assert {manifest["kind"] for manifest in manifests("dev")} >= CUSTOM


def test_an_unknown_field_is_an_error_in_every_object() -> None:
    passed = [
        manifest["kind"] for manifest in manifests("dev") if not any(errors({**manifest, "x": 1}))
    ]
    assert passed == []


def test_an_unknown_kind_is_an_error() -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing"}}
    assert any(errors(unknown))


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        pytest.param(kind, path, value, id=f"{kind}-{path[-1]}-{number}")
        for kind, wrong in WRONG.items()
        for number, (path, value) in enumerate(wrong)
    ],
)
def test_a_wrong_value_is_an_error(kind: str, path: tuple[str | int, ...], value: object) -> None:
    manifest = deepcopy(next(one for one in manifests("dev") if one["kind"] == kind))
    assert not any(errors(manifest))
    inner: Any = manifest
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert any(errors(manifest))
