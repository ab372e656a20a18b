"""From nothing to a stack that answers: what can run side by side does."""

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from harness.errors import StackError
from harness.local import environment, gateway_client, published
from harness.local.identity import ProcessIdentity
from harness.local.layout import Layout
from harness.local.parts import ENGINE_KEY_SECRET, PEPPER_SECRET, Parts, gateway_settings
from harness.local.processes import Processes, run_python
from harness.local.state import AwsAccess, StackState

TEAM_SCOPES: Final = {
    "quant": ("invoke", "pin", "harness"),
    "finetune": ("invoke", "pin", "harness"),
    "eval": ("invoke", "pin", "harness", "score"),
}
REGION: Final = "us-west-2"
READY_WITHIN_S: Final = 60.0

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The AWS stand-in with the stack's resources in it."""

    access: AwsAccess
    tables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    layout: Layout
    say: Callable[[str], None]
    processes: Processes
    scratch: Path
    """A folder of this run's own."""
    engine_key: str
    running_engines: Path | None

    @property
    def parts(self) -> Parts:
        return Parts(layout=self.layout, engine_key=self.engine_key)

    async def run(self) -> StackState:
        """Raises HarnessError where a step fails; a part's death is told by `processes`."""
        cloud, engines = await both(self._cloud(), self._engines())
        runtime_url = await self._sagemaker_runtime(cloud)
        settings = gateway_settings(
            aws=cloud.access,
            tables=cloud.tables,
            engines=engines,
            sagemaker_runtime_url=runtime_url,
        )
        url, admin_key = await both(self._gateway(settings), self._admin_key(settings))
        async with gateway_client.client(url) as gateway:
            keys = {
                team: await gateway_client.create_key(gateway, admin_key, team, scopes)
                for team, scopes in TEAM_SCOPES.items()
            }
            self.say(f"keys for {', '.join(keys)}")
            await gateway_client.wait_until_ready(gateway, READY_WITHIN_S)
        return StackState(
            gateway_url=url,
            admin_key=admin_key,
            keys=keys,
            engines=engines,
            engine_api_key=self.engine_key,
            aws=cloud.access,
            sagemaker_runtime_url=runtime_url,
            supervisor=ProcessIdentity.own(),
            logs=str(self.layout.logs),
        )

    async def _cloud(self) -> Cloud:
        url_file = self.scratch / "aws-url"
        await self.processes.start(self.parts.aws_stand_in(url_file))
        access = AwsAccess(
            endpoint_url=await published.url_in(url_file),
            region=REGION,
            access_key_id="local",
            secret_access_key=secrets.token_hex(16),
        )
        self.say(f"AWS stand-in on {access.endpoint_url}")
        root = self.layout.root
        request = {
            "tables": str(root / "api" / "tables.template.json"),
            "endpoints": str(root / "sagemaker_models" / "endpoints.toml"),
            "secrets": {PEPPER_SECRET: secrets.token_hex(32), ENGINE_KEY_SECRET: self.engine_key},
        }
        made = await run_python(
            *("-m", "harness.local.aws_resources"),
            cwd=root,
            environment={**environment.base(), **environment.aws(access)},
            given=json.dumps(request),
        )
        self.say("tables, secrets and SageMaker endpoints in it")
        return Cloud(access=access, tables=json.loads(made))

    async def _engines(self) -> dict[str, str]:
        """Addresses by name, once every engine serves its models."""
        state = _told_in(self.running_engines) if self.running_engines else await self._fleet()
        urls = {name: str(engine["url"]) for name, engine in state["engines"].items()}
        self.say(f"{len(urls)} engines serve")
        return urls

    async def _fleet(self) -> dict[str, Any]:
        """What the engines publish once they all serve; until then what they say is passed on."""
        before = published.version(self.layout.engines_state)
        engines = await self.processes.start(self.parts.engines())
        lines = published.NewLines(engines.part.log)

        def tell() -> None:
            for line in lines():
                self.say(f"engines: {line}")

        return await published.document_after(self.layout.engines_state, before, meanwhile=tell)

    async def _sagemaker_runtime(self, cloud: Cloud) -> str:
        state_file = self.scratch / "sagemaker-runtime.json"
        await self.processes.start(
            self.parts.sagemaker_runtime(self._engines_state, state_file, cloud.access)
        )
        url = str((await published.document_after(state_file, None))["url"])
        self.say(f"SageMaker runtime stand-in on {url}")
        return url

    async def _gateway(self, settings: Mapping[str, str]) -> str:
        url_file = self.scratch / "gateway-url"
        await self.processes.start(self.parts.gateway(url_file, settings))
        url = await published.url_in(url_file)
        self.say(f"gateway on {url}")
        return url

    async def _admin_key(self, settings: Mapping[str, str]) -> str:
        key = await run_python(
            *(str(self.layout.root / "api" / "bootstrap_key.py"), "--name", "local admin"),
            cwd=self.layout.root,
            environment={**environment.base(), **settings},
        )
        return key.strip()

    @property
    def _engines_state(self) -> Path:
        return self.running_engines or self.layout.engines_state


def _told_in(file: Path) -> dict[str, Any]:
    """The state file of engines that run already."""
    try:
        state = json.loads(file.read_text("utf-8"))
        if all("url" in engine for engine in state["engines"].values()):
            return dict(state)
    except FileNotFoundError:
        raise StackError(f"{file} is missing: it should tell of engines that run") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise StackError(f"{file} is not what 'python -m gpu_fleet up' writes")


async def both(
    one: Coroutine[Any, Any, First], other: Coroutine[Any, Any, Second]
) -> tuple[First, Second]:
    """Side by side; where one fails the other is cancelled, and the first failure is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return first.result(), second.result()
