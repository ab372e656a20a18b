"""What a deploy must never replace: resources that hold what can't be made again.

python -m tests.infrastructure.stateful            what differs from the baseline
python -m tests.infrastructure.stateful --renew    record what is there now, deliberately
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.support.synth import STAGES, Template, manifests, templates

BASELINE: Final = Path(__file__).with_name("stateful_baseline.json")
RENEW: Final = "python -m tests.infrastructure.stateful --renew"
ADVICE: Final = (
    "Deploying this loses what they hold, or what others know them by. Keep the construct's path "
    "and these properties. If it is meant, and the data was moved or may go, record it with\n"
    f"  {RENEW}\nand say why in the commit."
)
_REGION: Final = "us-west-2"

STATEFUL: Final = frozenset(
    {
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::EC2::EIP",  # others let these addresses in
        "AWS::EC2::Subnet",  # the cluster and all that is in it goes with them
        "AWS::EC2::VPC",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::EFS::FileSystem",
        "AWS::EKS::Cluster",
        "AWS::FSx::FileSystem",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Route53::HostedZone",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
        "AWS::Serverless::Api",  # its id is in the address that callers have
    }
)
BEYOND_SCHEMA: Final[Mapping[str, Sequence[str]]] = {
    "AWS::Cognito::UserPool": ["AliasAttributes", "Schema", "UsernameAttributes"],
    "AWS::KMS::Key": ["KeySpec", "KeyUsage", "MultiRegion", "Origin"],
}
"""Properties that can't change in place, though CloudFormation's schema doesn't say so."""
OF_WORK: Final = ("/aws/lambda/", "/aws/sagemaker/", "/aws/vendedlogs/states/")
"""Logs of how work went, not of who did what: they may go with what wrote them."""
OF_ENGINES: Final = "/engine-key/"
"""Keys that are made with an engine, go with it, and that nobody but the gateway shows to it."""
VOLUMES: Final[Mapping[str, Sequence[str]]] = {
    "PersistentVolumeClaim": ["accessModes", "storageClassName"],
    "StatefulSet": ["podManagementPolicy", "selector", "serviceName", "volumeClaimTemplates"],
}
"""Of Kubernetes: what makes volumes, and what it can't change."""


@dataclass(frozen=True, kw_only=True)
class Stateful:
    kind: str
    kept: bool
    """Does it stay when its stack goes?"""
    fixed: Mapping[str, Any]
    """The properties that can't change without replacing it, by path."""


Inventory = Mapping[str, Stateful]
"""By `stack/logical id`."""


def inventory(
    stacks: Mapping[str, Template], objects: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Stateful]:
    """All that a stage has, of AWS and of Kubernetes."""
    found = {
        f"{part}/{name}": _of_resource(resource)
        for part, template in stacks.items()
        for name, resource in template["Resources"].items()
        if _is_stateful(resource)
    }
    volumes = {
        f"kubernetes/{one['metadata']['namespace']}/{one['metadata']['name']}": _of_object(one)
        for one in objects
        if one["kind"] in VOLUMES
    }
    return dict(sorted((found | volumes).items()))


def _is_stateful(resource: Mapping[str, Any]) -> bool:
    properties = resource.get("Properties", {})
    log, secret = (str(properties.get(named, "")) for named in ("LogGroupName", "Name"))
    can_go = log.startswith(OF_WORK) or OF_ENGINES in secret
    return resource["Type"] in STATEFUL and not can_go


def fixed(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a resource that can't change without replacing it, by path."""
    properties = resource.get("Properties", {})
    found = {path: _at(properties, path) for path in _fixed_paths(resource["Type"])}
    return {path: value for path, value in found.items() if value is not None}


def _of_resource(resource: Mapping[str, Any]) -> Stateful:
    return Stateful(
        kind=resource["Type"],
        kept=resource.get("DeletionPolicy", "Delete") != "Delete",
        fixed=fixed(resource),
    )


def _of_object(manifest: Mapping[str, Any]) -> Stateful:
    kind, spec = manifest["kind"], manifest["spec"]
    return Stateful(
        kind=kind, kept=False, fixed={name: spec[name] for name in VOLUMES[kind] if name in spec}
    )


def _fixed_paths(kind: str) -> list[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    listed = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    paths = {path.removeprefix("/properties/") for path in listed}
    return sorted(paths | set(BEYOND_SCHEMA.get(kind, [])))


def _at(value: Any, path: str) -> Any:  # noqa: ANN401  (CloudFormation)
    """None where there is nothing; what is within a list is taken with the list."""
    for name in path.split("/"):
        if isinstance(value, list):
            return value
        value = value.get(name) if isinstance(value, dict) else None
    return value


def differences(before: Inventory, now: Inventory) -> Iterator[str]:
    """A line each; none is left out, whatever else differs."""
    appeared = {key: one for key, one in now.items() if key not in before}
    for key, was in before.items():
        if key in now:
            yield from _changes(key, was, now[key])
        else:
            yield _whither(key, was, appeared)
    for key, one in appeared.items():
        yield f"{key} ({one.kind}) is not recorded yet: nothing would notice its loss"


def _changes(key: str, was: Stateful, now: Stateful) -> Iterator[str]:
    if was.kind != now.kind:
        yield f"{key} was {was.kind} and is {now.kind}"
        return
    for path in sorted({*was.fixed, *now.fixed}):
        old, new = was.fixed.get(path), now.fixed.get(path)
        if old != new:
            told = f"{json.dumps(old)} to {json.dumps(new)}"
            yield f"{key} ({was.kind}): {path} changes from {told}: it would be replaced"
    if was.kept and not now.kept:
        yield f"{key} ({was.kind}) would no longer outlive its stack"


def _whither(key: str, was: Stateful, appeared: Inventory) -> str:
    stack, _, name = key.partition("/")
    for other, one in appeared.items():
        other_stack, _, other_name = other.partition("/")
        if one.kind == was.kind and name == other_name:
            return f"{key} ({was.kind}) moves to the stack {other_stack}: it would be made anew"
        if one == was and stack == other_stack:
            return f"{key} ({was.kind}) gets the logical id {other_name}: it would be made anew"
    return f"{key} ({was.kind}) is gone: it would be deleted"


def read_baseline(path: Path = BASELINE) -> dict[str, dict[str, Stateful]]:
    """By stage."""
    stages = json.loads(path.read_text("utf-8"))
    return {
        stage: {key: Stateful(**one) for key, one in found.items()}
        for stage, found in stages.items()
    }


def synthesised() -> dict[str, dict[str, Stateful]]:
    return {stage: inventory(templates(stage), manifests(stage)) for stage in STAGES}


def main() -> int:
    parser = argparse.ArgumentParser(description="What a deploy must never replace.")
    parser.add_argument("--renew", action="store_true", help="record what is there now")
    renew: bool = parser.parse_args().renew
    now = synthesised()
    before = read_baseline() if BASELINE.exists() else {}
    found = [
        f"{stage}: {line}"
        for stage, inventory_now in now.items()
        for line in differences(before.get(stage, {}), inventory_now)
    ]
    print(*found or ["nothing differs from the baseline"], sep="\n")  # noqa: T201
    if renew:
        recorded = {
            stage: {key: asdict(one) for key, one in found_now.items()}
            for stage, found_now in now.items()
        }
        BASELINE.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", "utf-8")
    return int(bool(found) and not renew)


if __name__ == "__main__":
    sys.exit(main())
