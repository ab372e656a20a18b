import re
from pathlib import Path

import pytest

from gpu_fleet.engines import load_fleet, served_models
from gpu_fleet.plan import plan_fleet
from sagemaker_models.endpoints import ENDPOINTS_TOML, EndpointsError, load_endpoints

TEXT = ENDPOINTS_TOML.read_text()
QUANT = "endpoints.quant-endpoint"
AWQ = f"{QUANT}.variants.awq"


def test_every_team_has_an_endpoint_of_an_engine_there_is() -> None:
    fleet = load_fleet()
    endpoints = load_endpoints(engines=fleet.engines)
    assert {name: endpoint.team for name, endpoint in endpoints.items()} == {
        "quant-endpoint": "quant",
        "finetune-endpoint": "finetune",
        "eval-endpoint": "eval",
    }


def test_every_variant_fits_its_instance_types() -> None:
    fleet = load_fleet()
    for endpoint in load_endpoints().values():
        for variant in endpoint.variants.values():
            for instance in (variant.instance_type, variant.local_instance_type):
                fit = plan_fleet(fleet, variant.engine, instance.removeprefix("ml."))
                assert fit.fits, (variant.engine, instance, fit.reasons)


def test_an_endpoint_and_its_engine_belong_to_one_team() -> None:
    fleet = load_fleet()
    for endpoint in load_endpoints().values():
        teams = {fleet.engines[variant.engine].team for variant in endpoint.variants.values()}
        assert teams == {endpoint.team}


def test_inference_components_are_what_the_engine_serves() -> None:
    fleet = load_fleet()
    endpoint = load_endpoints()["finetune-endpoint"]
    engine = endpoint.variants["lora"].engine
    assert endpoint.inference_components == served_models(engine, fleet.engines[engine])


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ('team = "quant"\n', "", f"{QUANT}.team: is missing"),
        ('team = "quant"', "team = 1", f"{QUANT}.team: must be of type str, is 1"),
        ('team = "quant"', 'team = "quant"\nx = 1', f"{QUANT}.x: unknown key; allowed: team, "),
        (
            'team = "quant"',
            'team = "quant"\ninference_components = ["a_b"]',
            f"{QUANT}.inference_components: 'a_b' is no SageMaker name",
        ),
        ("weight = 1.0", "weight = -1", f"{AWQ}.weight: is -1; allowed: 0 and above"),
        ("weight = 1.0", "weight = nan", f"{AWQ}.weight: is nan; allowed: 0 and above"),
        ("weight = 1.0", "weight = inf", f"{AWQ}.weight: is inf; allowed: 0 and above"),
        ("weight = 1.0", "weight = true", f"{AWQ}.weight: must be of type float, is True"),
        ("weight = 1.0", "weight = 0", f"{QUANT}.variants: all weights are 0"),
        (
            "initial_instance_count = 1",
            "initial_instance_count = 0",
            f"{AWQ}.initial_instance_count: must be at least 1",
        ),
        (
            '"ml.g5.xlarge"',
            '"g5.xlarge"',
            f"{AWQ}.instance_type: is 'g5.xlarge'; must look like ml.g5.xlarge",
        ),
        (
            'engine = "mistral-7b-awq"',
            'engine = "mistral-7b"',
            f"{AWQ}.engine: there is no engine 'mistral-7b'; there are: mistral-7b-awq, ",
        ),
        (r"\[endpoints.quant-endpoint\]", "[endpoints.quant_endpoint]", "endpoints: "),
        (
            r"\[endpoints.quant-endpoint.variants.awq\][^\[]*",
            "[endpoints.quant-endpoint.variants]\n",
            f"{QUANT}.variants: must declare at least one production variant",
        ),
        (r"\[endpoints.quant-endpoint\]", "[endpoint.quant-endpoint]", "endpoint: unknown key"),
    ],
)
def test_a_wrong_entry_is_refused_with_file_key_and_what_is_allowed(
    tmp_path: Path, pattern: str, replacement: str, message: str
) -> None:
    file = tmp_path / "endpoints.toml"
    text, changed = re.subn(pattern, replacement, TEXT, count=1)
    assert changed == 1
    file.write_text(text)
    with pytest.raises(EndpointsError) as error:
        load_endpoints(file, engines=load_fleet().engines)
    assert str(error.value).startswith(f"{file}: {message}")


def test_a_file_that_is_no_toml_or_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.toml"
    with pytest.raises(EndpointsError, match="can't be read: No such file"):
        load_endpoints(file)
    for content in (b"[endpoints", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(EndpointsError, match=r"endpoints\.toml: "):
            load_endpoints(file)


def test_a_variant_scales_no_further_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.toml"
    path.write_text(TEXT.replace("max_instance_count = 2\n", ""))
    for endpoint in load_endpoints(path).values():
        for variant in endpoint.variants.values():
            assert variant.max_instance_count == variant.initial_instance_count
    path.write_text(TEXT.replace("initial_instance_count = 1", "initial_instance_count = 3", 1))
    with pytest.raises(EndpointsError, match="max_instance_count: is below"):
        load_endpoints(path)
