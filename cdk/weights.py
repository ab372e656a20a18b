"""Where SageMaker finds what engines serve: the bucket and the keys that the fleet uses, too."""

from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import adapter_prefixes, model_prefix


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
