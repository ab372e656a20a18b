"""Where SageMaker finds what engines serve: the bucket and the keys that the fleet uses, too."""

from typing import Final

from cdk.deployment import ROOT
from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import adapter_prefixes, model_prefix
from gpu_fleet.manifests.scripts import MARKER
from gpu_fleet.manifests.weights import template_file

CHAT_TEMPLATE: Final = ROOT / "sagemaker_models/chat_template.jinja"


def chat_template_file() -> str:
    """Ours, in every model's folder."""
    return template_file(CHAT_TEMPLATE.read_text("utf-8"))


def copied_files(engine: Engine) -> tuple[str, str]:
    """Keys that are there once the model's Job is done."""
    prefix = model_prefix(engine)
    return f"{prefix}/{MARKER}", f"{prefix}/{chat_template_file()}"


def model_uri(bucket: str, engine: Engine) -> str:
    """A prefix of plain files; the container sees them as its folder."""
    return f"s3://{bucket}/{model_prefix(engine)}/"


def adapter_archives(engine: Engine) -> dict[str, str]:
    """Key by adapter. A component's artifact is one .tar.gz: SageMaker takes no prefix there."""
    adapters = engine.lora.adapters if engine.lora else {}
    return {
        adapter: f"{prefix}.tar.gz"
        for adapter, prefix in zip(adapters, adapter_prefixes(engine), strict=True)
    }
