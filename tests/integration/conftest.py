"""The whole gateway as a process, with fake engines behind it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from chalicelib.gateway import Gateway
from chalicelib.keys import Author
from tests.support import collector, gateway_process, sagemaker_runtime
from tests.support.collector import Collector
from tests.support.gateway_process import GatewayProcess
from tests.support.local_aws import ENGINE_KEY, LocalAws
from tests.support.sagemaker_runtime import SageMakerRuntime

SUPPORT: Final = Path(__file__).parents[1] / "support"
ENGINES: Final[Mapping[str, tuple[str, ...]]] = {
    "mistral-7b-awq": ("mistral-7b-awq",),
    "mistral-7b-lora": ("mistral-7b-lora", "lora-v1", "lora-v2"),
    "mistral-7b-fp16": ("mistral-7b-fp16",),
    "mistral-7b-judge": ("mistral-7b-judge",),
}
ENDPOINTS: Final[Mapping[str, str]] = {
    "quant-endpoint": "mistral-7b-awq",
    "finetune-endpoint": "mistral-7b-lora",
    "eval-endpoint": "mistral-7b-judge",
}
BY_TESTS: Final = Author(key_id="tests", correlation_id="tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A gateway, what is behind it, and a way to make keys."""

    gateway: GatewayProcess
    engines: Mapping[str, FakeServer]
    healthy: Mapping[str, Behaviour]
    sagemaker: SageMakerRuntime
    env: Mapping[str, str]

    def key(self, *scopes: str, teams: tuple[str, ...] = ("*",)) -> str:
        gateway = Gateway(self.env)
        with closing(gateway.connections):
            _, key = gateway.keys.create(
                name="test", teams=teams, scopes=scopes or ("admin",), expires_at=None, by=BY_TESTS
            )
        return str(key)

    def client(self, key: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.gateway.url, headers=headers, timeout=30)

    def heal(self) -> None:
        for name, engine in self.engines.items():
            engine.behaviour = self.healthy[name]
        self.sagemaker.refusal = None


@pytest.fixture(scope="session")
def otlp() -> Iterator[Collector]:
    with collector.running() as running:
        yield running


@pytest.fixture(scope="session")
def shipped(
    aws: LocalAws, otlp: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The gateway as it ships, every engine well."""
    healthy = {
        name: Behaviour(models=models, api_key=f"{ENGINE_KEY}-{name}")
        for name, models in ENGINES.items()
    }
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url}
    with stack(aws, healthy, ENDPOINTS, env, tmp_path_factory.mktemp("shipped")) as running:
        yield running


@pytest.fixture(scope="session")
def faulty(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The gateway with short timeouts, in front of engines that tests make ill."""
    healthy = {
        "first": Behaviour(answer="from first", trickle_interval_s=0.2),
        "second": Behaviour(answer="from second"),
    }
    env = {"GATEWAY_CONFIG": str(SUPPORT / "faults.toml")}
    endpoints = {"first-endpoint": "first"}
    with stack(aws, healthy, endpoints, env, tmp_path_factory.mktemp("faulty")) as running:
        yield running


@contextmanager
def stack(
    aws: LocalAws,
    healthy: Mapping[str, Behaviour],
    endpoints: Mapping[str, str],
    extra: Mapping[str, str],
    folder: Path,
) -> Iterator[Stack]:
    with ExitStack() as parts:
        engines = {name: parts.enter_context(FakeServer(how)) for name, how in healthy.items()}
        urls = {name: engine.url for name, engine in engines.items()}
        behind = {endpoint: urls[engine] for endpoint, engine in endpoints.items()}
        sagemaker = parts.enter_context(sagemaker_runtime.running(behind))
        env = {
            **aws.env(),
            **aws.tables(),
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker.url,
            "ENGINE_URLS": json.dumps({**urls, "unresolvable": "http://nowhere.invalid:8000"}),
            "ENGINE_KEY_SECRETS": json.dumps(_stored_keys(aws, healthy, folder.name)),
            **extra,
        }
        gateway = parts.enter_context(gateway_process.serving(env, folder))
        yield Stack(gateway=gateway, engines=engines, healthy=healthy, sagemaker=sagemaker, env=env)


def _stored_keys(aws: LocalAws, engines: Mapping[str, Behaviour], prefix: str) -> dict[str, str]:
    """Names of secrets, for the engines that ask for a key."""
    store = aws.client("secretsmanager")
    asking = {name: how.api_key for name, how in engines.items() if how.api_key}
    for name, key in asking.items():
        store.create_secret(Name=f"{prefix}/{name}", SecretString=key)
    return {name: f"{prefix}/{name}" for name in asking}


@pytest.fixture(scope="session")
def admin(shipped: Stack) -> Iterator[httpx.Client]:
    """May do everything."""
    with shipped.client(shipped.key()) as client:
        yield client


@pytest.fixture
def ill(faulty: Stack) -> Iterator[Stack]:
    """The faulty stack, well again after the test."""
    yield faulty
    faulty.heal()


@pytest.fixture(scope="session")
def patient(faulty: Stack) -> Iterator[httpx.Client]:
    """May ask everything of the faulty stack."""
    with faulty.client(faulty.key()) as client:
        yield client


@pytest.fixture
def nothing_reaches_an_engine(shipped: Stack) -> Iterator[None]:
    before = _latest(shipped)
    yield
    assert all(now is then for now, then in zip(_latest(shipped), before, strict=True))


def _latest(stack: Stack) -> list[object]:
    """The last request that each engine and SageMaker got: what is kept of them is bounded."""
    received = [engine.requests for engine in stack.engines.values()]
    return [each[-1] if each else None for each in (*received, tuple(stack.sagemaker.asked))]
