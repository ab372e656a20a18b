"""What no pod may do."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.support.kubernetes_pods import Workload

PodRule = Callable[[Workload], Iterator[str]]

ENGINES: Final = "llm-baseline"
GPU: Final = "nvidia.com/gpu"
TELLING_VALUE: Final = re.compile(
    r"hf_[A-Za-z0-9]{20}|sk-[A-Za-z0-9]{20}|AKIA[A-Z0-9]{16}|llmo_[a-z0-9]+_[A-Za-z0-9_-]{20}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[A-Za-z0-9_-]{20,}\.eyJ"
)
_TELLING_NAME: Final = re.compile(r"(?i)(secret|token|password|passwd|pepper|api_?key|credential)")
_PATH_OR_FLAG: Final = re.compile(r"(/|true$|false$|\d+$)")
_TAGGED: Final = re.compile(r"[^@\s]*[^/:@\s]:(?P<tag>[\w][\w.-]{0,127})(@sha256:[0-9a-f]{64})?")


def non_root(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        security = {**workload.security, **one.security}
        if security.get("runAsNonRoot") is not True or security.get("runAsUser") == 0:
            yield f"{one.name} may run as root"


def read_only_root(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        if one.security.get("readOnlyRootFilesystem") is not True:
            yield f"{one.name} may write to its image"


def no_escalation(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        if one.security.get("allowPrivilegeEscalation") is not False:
            yield f"{one.name} may become more than it is"
        if one.security.get("privileged"):
            yield f"{one.name} is privileged"


def no_capabilities(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        capabilities = one.security.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield f"{one.name} has capabilities"


def seccomp(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        profile = {**workload.security, **one.security}.get("seccompProfile", {})
        if profile.get("type") != "RuntimeDefault":
            yield f"{one.name} may make any system call"


def limited(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        for which in ("requests", "limits"):
            missing = {"cpu", "memory"} - one.resources(which).keys()
            if missing:
                yield f"{one.name} has no {which} of {', '.join(sorted(missing))}"


def probed(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        if not one.long_running:
            continue
        wanted = ["readinessProbe", "livenessProbe"] + ["startupProbe"] * bool(one.gpus)
        for probe in wanted:
            if probe not in one.spec:
                yield f"{one.name} has no {probe}"


def image_named(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        image = str(one.spec["image"])
        tagged = _TAGGED.fullmatch(image)
        if not tagged or tagged["tag"] == "latest":
            yield f"{one.name}: {image} is whatever it is on the day"


def no_secret_in_plain_text(workload: Workload) -> Iterator[str]:
    for one in workload.containers:
        for variable in one.spec.get("env", ()):
            value = variable.get("value", "")
            telling = _TELLING_NAME.search(variable["name"]) and not _PATH_OR_FLAG.match(value)
            if value and (telling or TELLING_VALUE.search(value)):
                yield f"{one.name}: {variable['name']} has its value in the manifest"
        for argument in (*one.spec.get("command", ()), *one.spec.get("args", ())):
            if TELLING_VALUE.search(argument):
                yield f"{one.name} has a secret among its arguments"


def one_gpu(workload: Workload) -> Iterator[str]:
    """Of engines, exactly one each; of others, none."""
    gpus = sum(one.gpus for one in workload.containers)
    wanted = int(workload.namespace == ENGINES and workload.kind == "Deployment")
    if gpus != wanted:
        yield f"has {gpus} GPUs, not {wanted}"
    for one in workload.containers:
        if one.gpus != int(one.resources("requests").get(GPU, one.gpus)):
            yield f"{one.name} asks for other GPUs than it is limited to"


def host(workload: Workload) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if workload.pod.get(key):
            yield f"uses {key}"
    for volume in workload.pod.get("volumes", ()):
        if "hostPath" in volume:
            yield f"mounts the node's {volume['hostPath']['path']}"
    for one in workload.containers:
        if any("hostPort" in port for port in one.spec.get("ports", ())):
            yield f"{one.name} listens on the node"


POD_RULES: Final[Sequence[PodRule]] = (
    non_root,
    read_only_root,
    no_escalation,
    no_capabilities,
    seccomp,
    limited,
    probed,
    image_named,
    no_secret_in_plain_text,
    one_gpu,
    host,
)
