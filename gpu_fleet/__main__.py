"""`python -m gpu_fleet plan`, `python -m gpu_fleet manifests` and `python -m gpu_fleet up`.

Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 an engine doesn't fit (plan) or failed (up);
2 wrong arguments, wrong configuration, or something missing on this machine.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from gpu_fleet.engines import Fleet, load_fleet
from gpu_fleet.errors import EngineFailed, FleetError, SetupError
from gpu_fleet.local import Workplace
from gpu_fleet.manifests import engine_objects, example, weights_objects
from gpu_fleet.plan import plan_fleet
from gpu_fleet.report import plan_table
from gpu_fleet.supervisor import up

OK: Final = 0
FAILED: Final = 1
WRONG: Final = 2
TABLE_WIDTH: Final = 160  # where the output is no terminal


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](load_fleet(), arguments)
    except EngineFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return FAILED
    except (FleetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG


def run_plan(fleet: Fleet, arguments: argparse.Namespace) -> int:
    if arguments.instance and arguments.instance not in fleet.instances:
        known = ", ".join(fleet.instances)
        raise SetupError(f"no instance type {arguments.instance!r}; there are: {known}")
    pairs = [
        (engine, instance)
        for engine, entry in fleet.select(arguments.engine).items()
        for instance in ([arguments.instance] if arguments.instance else entry.instance_types)
    ]
    rows = [(engine, instance, plan_fleet(fleet, engine, instance)) for engine, instance in pairs]
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    console.print(plan_table(rows))
    for engine, instance, fit in rows:
        for reason in fit.reasons:
            console.print(f"{engine} does not fit {instance}: {reason}", soft_wrap=True)
    return OK if all(fit.fits for _, _, fit in rows) else FAILED


def run_manifests(fleet: Fleet, arguments: argparse.Namespace) -> int:
    """What a deploy makes, with placeholders for what only a deployed stage knows."""
    import yaml  # noqa: PLC0415  (a tool of developers; engines start without it)

    template = Path("sagemaker_models/chat_template.jinja").read_text("utf-8")
    chosen = fleet.select(arguments.engine)
    cluster = replace(example(fleet), chat_template=template, gpus=arguments.gpus)
    objects = [one for name in chosen for one in engine_objects(fleet, name, cluster)]
    if not arguments.engine:
        objects += weights_objects(fleet, cluster)
    # By way of JSON, or what objects share would come out as references within YAML.
    print(yaml.safe_dump_all(json.loads(json.dumps(objects)), sort_keys=False), end="")
    return OK


def run_up(fleet: Fleet, arguments: argparse.Namespace) -> int:
    workplace = Workplace(
        environment=arguments.environment,
        models=arguments.models,
        logs=arguments.logs,
        cache=arguments.cache,
    )
    asyncio.run(
        up(
            fleet.select(arguments.engine),
            workplace=workplace,
            state=arguments.state,
            say=lambda line: print(line, flush=True),
        )
    )
    print("stopped")
    return OK


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m gpu_fleet", description="The engine fleet.")
    commands = top.add_subparsers(dest="command", required=True)
    engines = argparse.ArgumentParser(add_help=False)
    engines.add_argument("--engine", nargs="+", default=[], metavar="NAME", help="only these")
    planning = commands.add_parser(
        "plan", parents=[engines], help="does each engine fit its instance types?"
    )
    planning.add_argument("--instance", metavar="TYPE", help="this type instead of the declared")
    printing = commands.add_parser(
        "manifests", parents=[engines], help="the engines as Kubernetes objects, as YAML"
    )
    printing.add_argument("--gpus", type=int, default=4, help="that a stage may have")
    running = commands.add_parser(
        "up",
        parents=[engines],
        help="run the engines on this machine, in the foreground, until SIGTERM or SIGINT",
        description="The engines ask for the key in VLLM_API_KEY, where that is set.",
    )
    running.add_argument("--models", type=Path, default=Path("build/models"))
    running.add_argument("--state", type=Path, default=Path("build/engines.json"))
    running.add_argument("--environment", type=Path, default=Path(".venvs/engine"))
    running.add_argument("--logs", type=Path, default=Path("build/logs/engines"))
    running.add_argument("--cache", type=Path, default=Path("build/cache"))
    return top


COMMANDS: Final[Mapping[str, Callable[[Fleet, argparse.Namespace], int]]] = {
    "plan": run_plan,
    "manifests": run_manifests,
    "up": run_up,
}

if __name__ == "__main__":
    sys.exit(main())
