"""The gateway's parts, each made when first needed and then kept for the life of the process.

Nothing here runs at import: a cold start pays for what its request uses, and a snapshot freezes
neither a connection nor a clock.
"""

import os
from collections.abc import Mapping
from functools import cached_property

from chalicelib.aws import CALL_S, Aws
from chalicelib.backends import Backend
from chalicelib.backends.sagemaker import SageMakerBackend
from chalicelib.backends.vllm import VllmBackend
from chalicelib.breaker import Breaker
from chalicelib.config import Config, load_config
from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.dynamodb import DynamoDb
from chalicelib.errors import ConfigError, StoreUnavailable
from chalicelib.inference import Inference
from chalicelib.keys import KeyStore
from chalicelib.readiness import ReadinessCheck
from chalicelib.secret_store import SecretStore
from chalicelib.settings import Settings
from chalicelib.splits import RoutingStore
from chalicelib.telemetry import Telemetry
from chalicelib.telemetry.otlp import NullSink, OtlpSink, SpanSink


class Gateway:
    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self._env = env

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_env(self._env)

    @cached_property
    def config(self) -> Config:
        return load_config(
            self.settings.config_file,
            integration_timeout_s=self.settings.integration_timeout_s,
            backends=self.settings.backends,
        )

    @cached_property
    def connections(self) -> Connections:
        return Connections()

    @cached_property
    def aws(self) -> Aws:
        return Aws(self._env, self.connections)

    @cached_property
    def secrets(self) -> SecretStore:
        return SecretStore(self.aws)

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(
            dynamodb=DynamoDb(self.aws),
            secrets=self.secrets,
            keys_table=self.settings.keys_table,
            audit_table=self.settings.audit_table,
            pepper_secret=self.settings.pepper_secret,
        )

    @cached_property
    def routing_store(self) -> RoutingStore:
        return RoutingStore(
            DynamoDb(self.aws),
            routing_table=self.settings.routing_table,
            audit_table=self.settings.audit_table,
        )

    @cached_property
    def breaker(self) -> Breaker:
        return Breaker(self.config.breaker, self.routing_store, self.routing_store.current)

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        return {
            "vllm": VllmBackend(
                urls=self.settings.engine_urls,
                connections=self.connections,
                api_key=self._engine_key,
            ),
            "sagemaker": SageMakerBackend(
                self.aws,
                prefix=self.settings.sagemaker_prefix,
                engines=self.settings.engine_urls,
            ),
        }

    @cached_property
    def telemetry(self) -> Telemetry:
        return Telemetry(self._span_sink(), level=self._env.get("LOG_LEVEL", "INFO"))

    @cached_property
    def inference(self) -> Inference:
        return Inference(
            routing_store=self.routing_store,
            breaker=self.breaker,
            backends=self.backends,
            telemetry=self.telemetry,
        )

    @cached_property
    def readiness(self) -> ReadinessCheck:
        return ReadinessCheck(lambda: self.config, lambda: self.backends)

    def _span_sink(self) -> SpanSink:
        try:
            settings = self.settings
        except ConfigError:  # told by the routes; a request's log line must not need them
            return NullSink()
        if not settings.otlp_endpoint:
            return NullSink()
        return OtlpSink(
            settings.otlp_endpoint,
            self.connections,
            resource={
                "service.name": settings.service_name,
                "deployment.environment.name": settings.stage,
            },
            headers=settings.otlp_headers,
        )

    def _engine_key(self, engine: str, deadline: Deadline) -> str | None:
        """Its API key; without it the engine refuses, which the caller then learns as such."""
        name = self.settings.engine_key_secrets.get(engine)
        if not name:
            return None
        try:
            return self.secrets.get(name, seconds=min(CALL_S, deadline.remaining))
        except StoreUnavailable:
            return None
