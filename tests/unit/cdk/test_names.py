"""Names on which stacks, the gateway and operations must agree."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cdk import names
from cdk.deployment import Deployment
from cdk.stages import NAME, Domain, Stage, load_stages

STAGE = load_stages()["dev"]
DOMAIN = Domain(name="llm.example.org", hosted_zone_id="Z0123ABC", hosted_zone_name="example.org")
WITH_DOMAIN = replace(STAGE, domain=DOMAIN)


@pytest.mark.parametrize(
    "make", [names.prefixed, names.secret, names.parameter, names.engine_host, names.endpoint]
)
def test_two_stages_share_no_name(make: Callable[[Stage, str], str]) -> None:
    stages = load_stages().values()
    assert len({make(stage, "x") for stage in stages}) == len(stages)


def test_an_engine_is_found_by_its_name_in_the_private_zone() -> None:
    host = names.engine_host(STAGE, "mistral-7b-awq")
    assert host == "mistral-7b-awq.dev.llmo.internal"
    assert host.endswith("." + names.private_zone(STAGE))
    assert names.url(STAGE, host) == "http://mistral-7b-awq.dev.llmo.internal"


def test_with_a_domain_engines_have_names_a_certificate_can_be_had_for() -> None:
    host = names.engine_host(WITH_DOMAIN, "mistral-7b-awq")
    assert host == "mistral-7b-awq.engines.llm.example.org"
    assert names.url(WITH_DOMAIN, host) == "https://mistral-7b-awq.engines.llm.example.org"
    assert names.collector_host(WITH_DOMAIN) == "otel.engines.llm.example.org"


def test_the_networks_own_zone_is_the_same_with_a_domain() -> None:
    assert names.private_zone(WITH_DOMAIN) == names.private_zone(STAGE) == "dev.llmo.internal"


def test_no_engine_can_take_the_collectors_name() -> None:
    engines = Deployment.read("dev").fleet.engines
    hosts = {names.engine_host(STAGE, engine) for engine in engines}
    assert names.collector_host(STAGE) not in hosts


@pytest.mark.parametrize(
    "part", ["quant-endpoint", "finetune-endpoint", "eval-endpoint", "observability"]
)
def test_the_longest_names_are_short_enough(part: str) -> None:
    longest = replace(STAGE, name="abcdefghijkl")
    assert NAME.fullmatch(longest.name)
    assert len(names.prefixed(longest, part)) <= 63  # SageMaker's and S3's limit
