"""A bucket, an engine, and an environment as the Lambda functions have it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.jobs import merge
from harness.plan import Plan
from tests.support.jobs import asking, bucket_in, plan, pushed
from tests.support.local_aws import LocalAws

KEY = "llmo_test_key"
UNMEASURED = {"dispatch_lag_p99_ms": 1e6, "loop_lag_p99_ms": 1e6, "cpu_share": 1.0}
"""How fast this machine is right now shall decide nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    aws: LocalAws
    bucket: str
    engine: FakeServer

    def plan(self, load: dict[str, Any] | None = None, **fields: Any) -> Plan:  # noqa: ANN401
        load = load or {"arrivals": {"type": "constant", "rate": 200}, "count": 40, "warmup": 4}
        made = asking(plan(load, validity=UNMEASURED, **fields), self.engine.url, stream=True)
        return replace(made, promptset=pushed(self.aws, self.bucket))

    def event(self, whole: Plan) -> dict[str, Any]:
        return {"plan": msgspec.to_builtins(whole), "start_in_s": 0}

    def objects(self, prefix: str = "") -> list[str]:
        found = self.aws.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]


@pytest.fixture(scope="session")
def engine() -> Iterator[FakeServer]:
    with FakeServer(Behaviour(api_key=KEY)) as server:
        yield server


@pytest.fixture
def deployment(
    aws: LocalAws, engine: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    bucket = bucket_in(aws)
    secret = aws.client("secretsmanager").create_secret(Name=bucket, SecretString=KEY)
    environment = aws.env() | {
        "RUNS_BUCKET": bucket,
        "TARGET_URLS": f"https://elsewhere.example, {engine.url}/",
        "API_KEY_SECRET": secret["ARN"],
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(merge, "LATEST_START_S", 1e6)  # nor how fast it gets going
    healthy = engine.behaviour
    yield Deployment(aws=aws, bucket=bucket, engine=engine)
    engine.behaviour = healthy
