"""NVIDIA's DCGM exporter, one on each GPU node.

It has a namespace of its own, as the only component that the standard for restricted pods would
refuse: the rest stays under it.

It sees the node's GPUs by a mount that asks for them: the nodes' runtime (Bottlerocket's defaults)
reads names of devices from `/var/run/nvidia-container-devices`, and ignores NVIDIA_VISIBLE_DEVICES
of containers without privileges. So it needs neither a GPU of its own nor CAP_SYS_ADMIN (which only
profiling metrics, not collected here, would want). Which pod has the GPU is told by the node: one
engine runs on each, so the kubelet's socket isn't needed either.
"""

from typing import Final

from cdk.kubernetes.namespaces import Namespace, objects
from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.policies import allow_from, pods, policy
from cdk.kubernetes.observability.settings import CONFIG, GPUS, NAMESPACE, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    deployment,
    selector,
    service_account,
)

NAME: Final = "dcgm-exporter"
PORT: Final = 9400
# On Kubernetes 1.34 and later the runtime leaves libdcgm out of the linker's cache, which the
# exporter insists on (NVIDIA/dcgm-exporter issue 636): it is written again before the start.
START: Final = (
    "rm -f /etc/ld.so.cache && ldconfig && "
    f"exec dcgm-exporter --address=:{PORT} --collectors=/etc/dcgm/counters.csv"
)


def manifests() -> list[Manifest]:
    config = config_map(
        NAME, NAME, {"counters.csv": (CONFIG / "gpu-counters.csv").read_text("utf-8")}
    )
    component = Component(
        name=NAME,
        image=images.DCGM_EXPORTER,
        args=["-c", START],
        ports={"metrics": PORT},
        ready="/health",
        alive="/health",
        cpu="100m",
        memory="256Mi",
        user=0,
        volumes={
            "/etc/dcgm": {"configMap": {"name": NAME}},
            "/var/run/nvidia-container-devices/all": {"hostPath": {"path": "/dev/null"}},
        },
        config=config,
    )
    asker = [
        {**peer, "podSelector": {"matchLabels": selector("prometheus")}}
        for peer in pods(namespace=NAMESPACE)
    ]
    return [
        *(
            {**one, "metadata": {**one["metadata"], "namespace": GPUS}}
            for one in (service_account(NAME), config, _on_every_gpu_node(component))
        ),
        policy(NAME, namespace=GPUS, ingress=[allow_from(asker, PORT)], egress=[]),
    ]


def namespace(settings: Settings) -> list[Manifest]:
    """Room for a pod on each node with a GPU, and for as many again while they are replaced."""
    made = Namespace(
        name=GPUS,
        cpu=max(1, -(-settings.gpus * 2 // 10)),
        memory_gib=max(1, -(-settings.gpus * 2 // 4)),
        pods=2 * settings.gpus,
        pod_security="privileged",
        why="DCGM exporter: /dev/null mounted to ask for the GPUs, root without any capability",
    )
    return objects(made, service_cidr=settings.service_cidr, network=settings.cidr)


def _on_every_gpu_node(component: Component) -> Manifest:
    as_deployment = deployment(component, 1)
    template = as_deployment["spec"]["template"]
    pod = template["spec"]
    pod["nodeSelector"] = {"llmo/pool": "gpu"}
    pod["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    # Root, for the linker's cache alone: without any capability.
    pod["securityContext"] = {"runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    container = pod["containers"][0]
    container["command"] = ["/bin/bash"]
    container["securityContext"] |= {"readOnlyRootFilesystem": False}
    container["resources"]["limits"]["cpu"] = "500m"
    return {
        **as_deployment,
        "kind": "DaemonSet",
        "spec": {
            "selector": as_deployment["spec"]["selector"],
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}},
            "template": template,
        },
    }
