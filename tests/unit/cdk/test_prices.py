"""Prices say where they are from, and what is not listed is not free."""

from pathlib import Path

import pytest

from cdk.prices import PRICES_TOML, load_prices
from gpu_fleet.engines import load_fleet
from gpu_fleet.errors import ConfigError
from sagemaker_models.endpoints import load_endpoints

TEXT = PRICES_TOML.read_text()


def test_every_price_has_a_unit_a_date_and_a_source() -> None:
    listed = load_prices()
    for source in listed.sources.values():
        assert source.read
        assert source.url == "estimate" or source.url.startswith("https://")
    unread = [name for name, price in listed.prices.items() if price.source == "estimate"]
    assert all(listed.prices[name].estimate for name in unread)


def test_whatever_the_fleet_may_run_on_has_a_price() -> None:
    listed = load_prices()
    for engine in load_fleet().engines.values():
        for instance in engine.instance_types:
            for kind in ("on-demand", "spot", "auto-mode"):
                assert listed.find(f"{kind} {instance}"), (kind, instance)
    for endpoint in load_endpoints().values():
        for variant in endpoint.variants.values():
            assert listed.find(f"sagemaker {variant.instance_type}")


def test_a_month_is_730_hours_and_shares_are_of_on_demand() -> None:
    listed = load_prices()
    acl, spot = listed.find("waf-acl"), listed.find("spot g5.xlarge")
    assert acl
    assert acl.usd == pytest.approx(5 / 730)
    assert spot
    assert spot.usd == pytest.approx(0.503)
    assert spot.estimate


@pytest.mark.parametrize("name", ["spot p9.xlarge", "auto-mode kms-key", "on-demand p9", "x"])
def test_what_is_not_listed_is_unknown(name: str) -> None:
    assert load_prices().find(name) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "nat"', 'source = "somebody"', "prices.nat-gateway.source"),
        ("usd = 0.10,", "usd = 0,", "prices.eks-cluster.usd"),
        ('per = "month"', 'per = "year"', "per"),
        ("spot = {", "sport = {", "lacks spot"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(ConfigError, match=said) as error:
        load_prices(path)
    assert "prices.toml" in str(error.value)
    assert "\n" not in str(error.value)
