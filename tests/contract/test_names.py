"""The parts meet by name: every name that one part uses, another one has."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from chalicelib import judge as gateways_judge
from chalicelib.config import Config, load_config
from chalicelib.errors import CODES
from chalicelib.settings import Settings
from gpu_fleet.engines import Fleet, load_fleet, served_models
from sagemaker_models import judge as makers_judge
from sagemaker_models.endpoints import load_endpoints

ROOT: Final = Path(__file__).parents[2]
RESPONSES: Final[dict[str, dict[str, Any]]] = json.loads(
    (ROOT / "api" / "gateway_responses.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(Settings().config_file, integration_timeout_s=60)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet()


def test_every_engine_that_the_gateway_routes_to_serves_that_model(
    config: Config, fleet: Fleet
) -> None:
    for team in config.teams.values():
        for variant in team.variants.values():
            for target in variant.targets:
                if target.backend == "vllm":
                    engine = fleet.engines[target.place]
                    assert variant.model in served_models(target.place, engine)


def test_every_endpoint_that_the_gateway_routes_to_serves_that_model(
    config: Config, fleet: Fleet
) -> None:
    """An endpoint's base answers, unless an inference component is named."""
    endpoints = load_endpoints(engines=fleet.engines)
    for team in config.teams.values():
        for variant in team.variants.values():
            for target in variant.targets:
                if target.backend != "sagemaker":
                    continue
                name, mark, part = re.fullmatch(r"([^/#]+)([/#]?)(.*)", target.place).groups()  # type: ignore[union-attr]
                endpoint = endpoints[name]
                engines = {production.engine for production in endpoint.variants.values()}
                if mark == "#":
                    assert variant.model == part
                    assert part in endpoint.inference_components
                else:
                    assert engines == {variant.model}
                if mark == "/":
                    assert part in endpoint.variants


def test_every_engine_gets_traffic_from_somewhere(config: Config, fleet: Fleet) -> None:
    routed = {target.place for target in config.targets() if target.backend == "vllm"}
    assert routed == set(fleet.engines)


@pytest.mark.parametrize(
    ("prompt", "response", "reference"),
    [
        ("What is 2+2?", "4", None),
        ("What is 2+2?", "", "4"),
        ('a "quoted"\nline', "tab\t\\ é 漢 \u2028", "😀"),
    ],
)
def test_the_judge_is_trained_on_the_words_that_the_gateway_says(
    prompt: str, response: str, reference: str | None
) -> None:
    asked = gateways_judge.render(prompt, response, reference)
    assert asked == makers_judge.judge_prompt(prompt, response, reference)
    assert gateways_judge.SCORES == makers_judge.SCORES


def test_what_the_judge_is_trained_to_say_the_gateway_can_read() -> None:
    said = makers_judge.verdict_json((0.91, 0.8, 0.77, 0.02), "It is right.")
    scores, reasoning = gateways_judge.read(said)
    assert list(scores.values()) == [0.91, 0.8, 0.77, 0.02]
    assert reasoning == "It is right."


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_api_gateway_answers_itself_is_a_contract_error(kind: str) -> None:
    template = RESPONSES[kind]
    assert (template["status"], template["type"]) == CODES[template["code"]]
    assert template["message"]


def test_every_error_code_is_documented_with_its_status() -> None:
    text = (ROOT / "docs" / "http-api.md").read_text("utf-8")
    for code, (status, _) in CODES.items():
        lines = [line for line in text.splitlines() if f"`{code}`" in line]
        assert any(str(status) in line for line in lines), code
