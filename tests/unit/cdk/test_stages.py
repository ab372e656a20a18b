"""`stages.toml`, read strictly: whatever is wrong is told in one line with file and key."""

from pathlib import Path

import pytest

from cdk.errors import WrongInput
from cdk.kubernetes.namespaces import namespaces
from cdk.stages import STAGES_TOML, TEAMS, load_stage, load_stages
from gpu_fleet.engines import load_fleet
from gpu_fleet.errors import ConfigError

TEXT = STAGES_TOML.read_text()
DEV = TEXT[TEXT.index("[stages.dev]") : TEXT.index("[stages.staging]")]


def written(folder: Path, text: str) -> Path:
    path = folder / "stages.toml"
    path.write_text(text)
    return path


def changed(folder: Path, pattern: str, replacement: str) -> Path:
    """The shipped file with the dev stage's first `pattern` replaced."""
    assert pattern in DEV
    return written(folder, TEXT.replace(DEV, DEV.replace(pattern, replacement, 1)))


def test_the_shipped_stages_are_three() -> None:
    assert list(load_stages()) == ["dev", "staging", "prod"]


def test_only_prod_keeps_its_data_and_outlives_a_zone() -> None:
    stages = load_stages()
    assert {name: stage.removal for name, stage in stages.items()} == {
        "dev": "destroy",
        "staging": "destroy",
        "prod": "retain",
    }
    assert {name: stage.nat_gateways for name, stage in stages.items()} == {
        "dev": 1,
        "staging": 1,
        "prod": 3,
    }


def test_a_stage_knows_its_name_and_what_holds_for_all() -> None:
    stage = load_stage("staging")
    assert (stage.name, stage.service_cidr) == ("staging", "172.20.0.0/16")


def test_a_fourth_stage_is_one_entry(tmp_path: Path) -> None:
    fourth = DEV.replace("stages.dev", "stages.lab").replace("10.0.0.0", "10.9.0.0")
    fourth = fourth.replace(', on_push = "develop"', "")
    assert list(load_stages(written(tmp_path, TEXT + fourth))) == ["dev", "staging", "prod", "lab"]


def test_an_account_is_optional_and_twelve_digits(tmp_path: Path) -> None:
    path = changed(tmp_path, "[stages.dev]", '[stages.dev]\naccount = "012345678901"')
    assert load_stage("dev", path).account == "012345678901"
    assert load_stage("dev").account is None


def test_prod_believes_main_and_dev_what_is_not_there_yet() -> None:
    assert {name: stage.github.branches for name, stage in load_stages().items()} == {
        "dev": ("develop",),
        "staging": ("develop", "main"),
        "prod": ("main",),
    }


def test_a_repositorys_numbers_are_optional(tmp_path: Path) -> None:
    numbers = 'on_push = "develop", owner_id = "123456", repository_id = "456789"'
    github = load_stage("dev", changed(tmp_path, 'on_push = "develop"', numbers)).github
    assert (github.owner_id, github.repository_id) == ("123456", "456789")
    assert load_stage("dev").github.repository_id is None


def test_alarms_and_a_domain_are_optional(tmp_path: Path) -> None:
    lines = 'alarms = { email = "lab@example.org" }\ndomain = ' + DOMAIN
    stage = load_stage("dev", changed(tmp_path, "sagemaker = false", f"sagemaker = true\n{lines}"))
    assert stage.alarms
    assert stage.alarms.email == "lab@example.org"
    assert stage.domain
    assert stage.domain.name == "llm.example.org"


DOMAIN = (
    '{ name = "llm.example.org", hosted_zone_id = "Z0123ABC", hosted_zone_name = "example.org" }'
)


def test_an_unknown_stage_is_told_which_there_are() -> None:
    with pytest.raises(WrongInput) as told:
        load_stage("prd")
    assert str(told.value) == "stage: no 'prd' in stages.toml; there are: dev, staging, prod"


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ('region = "us-west-2"\n', "", "stages.dev.region: is missing"),
        ("rate = 50, ", "", "stages.dev.throttle.rate: is missing"),
        (
            "sagemaker = false",
            "sage_maker = false",
            "stages.dev.sage_maker: unknown key; allowed: account, region, zones, cidr, ",
        ),
        (
            "rate = 50",
            "rates = 50",
            "stages.dev.throttle.rates: unknown key; allowed: rate, burst",
        ),
        (
            "sagemaker = false",
            'sagemaker = "no"',
            "stages.dev.sagemaker: must be of type bool, is 'no'",
        ),
        ("nat_gateways = 1", "nat_gateways = 4", "stages.dev.nat_gateways: is 4; allowed: 1 to 3"),
        (
            "nat_gateways = 1",
            "nat_gateways = true",
            "stages.dev.nat_gateways: must be of type int, is True",
        ),
        (
            "integration_timeout_s = 65",
            "integration_timeout_s = 301",
            "stages.dev.integration_timeout_s: is 301; allowed: 1 to 300",
        ),
        ("cpus = 16", "cpus = 1", "stages.dev.general.cpus: is 1; allowed: 8 to 1000"),
        ("limit = 4", "limit = 0", "stages.dev.gpu.limit: is 0; allowed: 1 to 100"),
        (
            'removal = "destroy"',
            'removal = "snapshot"',
            "stages.dev.removal: is 'snapshot'; allowed: destroy, retain",
        ),
        (
            "log_retention_days = 14",
            "log_retention_days = 15",
            "stages.dev.log_retention_days: is 15; allowed: 1, 3, 5, 7, 14, 30, ",
        ),
        ('"spot"', '"spott"', "stages.dev.gpu.capacity[0]: is 'spott'; allowed: spot, on-demand"),
        ('"spot"', "", "stages.dev.gpu.capacity: must name spot, on-demand or both, once"),
        ('"spot"', '"spot", "spot"', "stages.dev.gpu.capacity: must name spot, on-demand or both"),
        (
            "[stages.dev]",
            '[stages.dev]\naccount = "12345"',
            "stages.dev.account: is '12345'; must be twelve digits, in quotes",
        ),
        (
            "[stages.dev]",
            "[stages.dev]\naccount = 123456789012",
            "stages.dev.account: must be of type str, is 123456789012",
        ),
        (
            'region = "us-west-2"',
            'region = "oregon"',
            "stages.dev.region: is 'oregon'; must be a region, like us-west-2",
        ),
        (
            'region = "us-west-2"',
            'region = "eu-west-1"',
            "stages.dev.zones: must be 3 zones of eu-west-1; are: us-west-2a, us-west-2b, ",
        ),
        ('"us-west-2c"', '"us-west-2b"', "stages.dev.zones: must be 3 zones of us-west-2; are: "),
        (', "us-west-2c"', "", "stages.dev.zones: must be 3 zones of us-west-2; are: "),
        (
            "administrators = []",
            'administrators = ["arn:aws:iam::123456789012:user/me"]',
            "stages.dev.administrators: is 'arn:aws:iam::123456789012:user/me'; must be ARNs of",
        ),
        (
            'repository = "your.organization/',
            'repository = "https://github.com/lab/',
            "stages.dev.github.repository: is 'https://github.com/lab/llm-optimization-",
        ),
        (
            'on_push = "develop"',
            'environment = "dev"',
            "stages.dev.github.environment: unknown key; allowed: repository, branches, on_push",
        ),
        (
            'on_push = "develop"',
            'on_push = "main"',
            "stages.dev.github.on_push: is main; must be in branches",
        ),
        (
            'branches = ["develop"], on_push = "develop"',
            'branches = ["main"], on_push = "main"',
            "stages.prod.github.on_push: is main, which goes to dev already",
        ),
        (
            'branches = ["develop"]',
            'branches = ["somebodys"]',
            "stages.dev.github.branches[0]: is 'somebodys'; allowed: main, develop",
        ),
        (
            'branches = ["develop"]',
            "branches = []",
            "stages.dev.github.branches: must name main, develop or both, once",
        ),
        (
            'branches = ["develop"]',
            'branches = ["main", "main"]',
            "stages.dev.github.branches: must name main, develop or both, once",
        ),
        (', branches = ["develop"]', "", "stages.dev.github.branches: is missing"),
        (
            'on_push = "develop"',
            'on_push = "develop", owner_id = "12*", repository_id = "34"',
            "stages.dev.github.owner_id: is '12*'; must be digits, in quotes",
        ),
        (
            'on_push = "develop"',
            'on_push = "develop", owner_id = "12", repository_id = "٣"',
            "stages.dev.github.repository_id: is '٣'; must be digits, in quotes",
        ),
        (
            'on_push = "develop"',
            'on_push = "develop", owner_id = 12, repository_id = "34"',
            "stages.dev.github.owner_id: must be of type str, is 12",
        ),
        (
            'on_push = "develop"',
            'on_push = "develop", repository_id = "34"',
            "stages.dev.github: must have owner_id and repository_id, or neither",
        ),
        (
            'on_push = "develop"',
            'on_push = "develop", provider = "mine"',
            "stages.dev.github.provider: is 'mine'; allowed: create, existing",
        ),
        (
            "sagemaker = false",
            'sagemaker = false\nalarms = { email = "nobody" }',
            "stages.dev.alarms.email: is 'nobody'; must be a mail address",
        ),
        (
            "sagemaker = false",
            f"sagemaker = false\ndomain = {DOMAIN.replace('llm.example.org', 'llm.example.com')}",
            "stages.dev.domain.name: is 'llm.example.com'; must be under domain.hosted_zone_name",
        ),
        (
            "sagemaker = false",
            f"sagemaker = false\ndomain = {DOMAIN.replace('Z0123ABC', '/hostedzone/Z0')}",
            "stages.dev.domain.hosted_zone_id: is '/hostedzone/Z0'; must be like Z0123ABC",
        ),
        ("[stages.dev]", '[stages."dev-1"]', "stages.dev-1: a stage's name is like [a-z]"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_file_and_key(
    tmp_path: Path, pattern: str, replacement: str, message: str
) -> None:
    with pytest.raises(ConfigError) as told:
        load_stages(changed(tmp_path, pattern, replacement))
    assert str(told.value).startswith(f"stages.toml: {message}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        ("10.1.0.0/16", "10.1.0.0/16 overlaps stages.dev.cidr, which is 10.1.0.0/16"),
        ("10.2.128.0/20", "10.2.0.0/16 overlaps stages.dev.cidr, which is 10.2.128.0/20"),
        ("172.20.16.0/20", "172.20.16.0/20 overlaps service_cidr, which is 172.20.0.0/16"),
        ("10.0.0.1/16", "is no network: 10.0.0.1/16 has host bits set"),
        ("10.0.0.0", "is 10.0.0.0; allowed: /16 to /20 within 10.0.0.0/8, 172.16.0.0/12, 192."),
        ("10.0.0.0/12", "is 10.0.0.0/12; allowed: /16 to /20 within "),
        ("10.0.0.0/24", "is 10.0.0.0/24; allowed: /16 to /20 within "),
        ("8.8.0.0/16", "is 8.8.0.0/16; allowed: /16 to /20 within "),
        ("127.0.0.0/16", "is 127.0.0.0/16; allowed: /16 to /20 within "),
        ("fd00::/16", "is no network: "),
    ],
)
def test_a_network_is_private_of_a_size_that_serves_and_overlaps_no_other(
    tmp_path: Path, cidr: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as told:
        load_stages(changed(tmp_path, "10.0.0.0/16", cidr))
    assert told.value.reason.startswith(reason)
    assert told.value.key.endswith(".cidr")


def test_the_services_network_may_be_as_wide_as_eks_takes_it(tmp_path: Path) -> None:
    text = TEXT.replace("172.20.0.0/16", "172.16.0.0/12")
    assert load_stage("dev", written(tmp_path, text)).service_cidr == "172.16.0.0/12"
    with pytest.raises(ConfigError, match=r"service_cidr: is 10\.0\.0\.0/8; allowed: /12"):
        load_stages(written(tmp_path, TEXT.replace("172.20.0.0/16", "10.0.0.0/8")))


def test_every_stage_is_checked_whichever_is_asked_for(tmp_path: Path) -> None:
    path = changed(tmp_path, 'removal = "destroy"', 'removal = "keep"')
    with pytest.raises(ConfigError, match=r"stages\.dev\.removal"):
        load_stage("prod", path)


def test_a_file_that_is_no_toml_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"stages\.toml: file: is not TOML: "):
        load_stages(written(tmp_path, "[stages"))


def test_a_file_without_stages_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"stages\.toml: stages: is missing"):
        load_stages(written(tmp_path, 'service_cidr = "172.20.0.0/16"'))


ROLE = "arn:aws:iam::123456789012:role/"


def people(folder: Path, lines: str) -> Path:
    return changed(folder, "administrators = []", f"administrators = []\n{lines}")


def test_who_looks_and_who_is_of_a_team_is_optional(tmp_path: Path) -> None:
    shipped = load_stage("dev")
    assert (shipped.viewers, dict(shipped.teams)) == ((), {})
    lines = f'viewers = ["{ROLE}audit"]\nteams = {{ quant = ["{ROLE}path/quant"] }}'
    stage = load_stage("dev", people(tmp_path, lines))
    assert stage.viewers == (f"{ROLE}audit",)
    assert dict(stage.teams) == {"quant": (f"{ROLE}path/quant",)}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('viewers = ["bob"]', "stages.dev.viewers: is 'bob'; must be ARNs of IAM roles"),
        (
            'teams = { eval = ["arn:aws:iam::123456789012:user/bob"] }',
            "stages.dev.teams.eval: is 'arn:aws:iam::123456789012:user/bob'; must be ARNs of IAM",
        ),
        (
            "teams = { sales = [] }",
            "stages.dev.teams.sales: is no team; allowed: quant, finetune, eval",
        ),
        ('teams = ["quant"]', "stages.dev.teams: must be a table, is ['quant']"),
        (
            f'viewers = ["{ROLE}audit", "{ROLE}audit"]',
            "stages.dev.viewers: must name each role once",
        ),
    ],
)
def test_wrong_people_are_told(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        load_stage("dev", people(tmp_path, lines))
    assert message in str(told.value)


def test_a_team_is_a_namespace() -> None:
    made = {one.name for one in namespaces(load_stage("dev"), load_fleet())}
    assert set(TEAMS) < made
