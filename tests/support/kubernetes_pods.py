"""Pods as workloads make them, whatever the workload is called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Manifest = Mapping[str, Any]

LONG_RUNNING: Final = ("Deployment", "StatefulSet", "DaemonSet")
_TEMPLATE: Final = {
    **dict.fromkeys((*LONG_RUNNING, "Job"), ("spec", "template")),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


@dataclass(frozen=True, kw_only=True)
class Container:
    spec: Manifest
    long_running: bool

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def security(self) -> Manifest:
        return dict(self.spec.get("securityContext", {}))

    def resources(self, which: str) -> Manifest:
        return dict(self.spec.get("resources", {}).get(which, {}))

    @property
    def gpus(self) -> int:
        return int(self.resources("limits").get("nvidia.com/gpu", 0))


@dataclass(frozen=True, kw_only=True)
class Workload:
    kind: str
    name: str
    namespace: str
    pod: Manifest

    @property
    def containers(self) -> Sequence[Container]:
        lasting = self.kind in LONG_RUNNING
        first = [
            Container(spec=one, long_running=lasting and one.get("restartPolicy") == "Always")
            for one in self.pod.get("initContainers", ())
        ]
        return [
            *first,
            *(Container(spec=one, long_running=lasting) for one in self.pod["containers"]),
        ]

    @property
    def security(self) -> Manifest:
        return dict(self.pod.get("securityContext", {}))

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


def workloads(manifests: Sequence[Manifest]) -> Iterator[Workload]:
    for manifest in manifests:
        kind = manifest["kind"]
        if kind != "Pod" and kind not in _TEMPLATE:
            continue
        template = manifest
        for key in _TEMPLATE.get(kind, ()):
            template = template[key]
        yield Workload(
            kind=kind,
            name=manifest["metadata"]["name"],
            namespace=manifest["metadata"]["namespace"],
            pod=template["spec"],
        )
