"""Strict validation of Kubernetes objects: an unknown field is an error, not a warning."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from kubernetes_validate.utils import all_versions, major_minor

VERSION: Final = "1.35"
SCHEMAS: Final = Path(__file__).parents[2] / "cdk/kubernetes/schemas"
Manifest = Mapping[str, Any]

_SECRET: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["objectName"],
    "properties": {
        "objectName": {"type": "string"},
        "objectType": {"enum": ["secretsmanager", "ssmparameter"]},
        "objectAlias": {"type": "string"},
        "objectVersion": {"type": "string"},
        "objectVersionLabel": {"type": "string"},
        "filePermission": {"type": "string", "pattern": "^0[0-7]{3}$"},
        "jmesPath": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "objectAlias"],
                "properties": {
                    "path": {"type": "string"},
                    "objectAlias": {"type": "string"},
                    "filePermission": {"type": "string", "pattern": "^0[0-7]{3}$"},
                },
            },
        },
    },
}


def carried_versions() -> set[str]:
    return set(map(major_minor, all_versions()))


def errors(manifest: Manifest) -> Iterator[str]:
    """What is wrong with an object, in words; nothing where it is valid."""
    kind = (manifest["apiVersion"], manifest["kind"])
    if kind in custom():
        for error in custom()[kind].iter_errors(manifest):
            yield f"{named(manifest)}: {'.'.join(map(str, error.path))}: {error.message[:300]}"
        if kind[1] == "SecretProviderClass":
            yield from _secret_errors(manifest)
        return
    try:
        kubernetes_validate.validate(dict(manifest), VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{named(manifest)}: {'.'.join(map(str, error.path))}: {error.message[:300]}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"{named(manifest)}: Kubernetes {VERSION} has no such kind, and schemas/ has none"


@cache
def custom() -> Mapping[tuple[str, str], Draft202012Validator]:
    """By version and kind."""
    schemas = [json.loads(file.read_text()) for file in SCHEMAS.glob("*.json")]
    return {
        tuple(one["properties"][key]["const"] for key in ("apiVersion", "kind")): (
            Draft202012Validator(one)
        )
        for one in schemas
    }


def named(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return "/".join(filter(None, (manifest["kind"], metadata.get("namespace"), metadata["name"])))


def _secret_errors(manifest: Manifest) -> Iterator[str]:
    """The AWS provider's own list, YAML within a string."""
    objects = yaml.safe_load(manifest["spec"]["parameters"]["objects"])
    validator = Draft202012Validator({"type": "array", "minItems": 1, "items": _SECRET})
    for error in validator.iter_errors(objects):
        yield f"{named(manifest)}: objects: {error.message[:300]}"
