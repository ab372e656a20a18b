"""`stages.toml`, read strictly: every stage is checked, whichever is asked for."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Final, Literal

from cdk.errors import WrongInput
from gpu_fleet.errors import ConfigError
from gpu_fleet.strict_toml import Between, build, read_toml

STAGES_TOML: Final = Path(__file__).with_name("stages.toml")
NAME: Final = re.compile(r"[a-z][a-z0-9]{0,11}")
_ACCOUNT: Final = re.compile(r"\d{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
NOBODYS: Final = "your.organization/"
"""Begins the name of a repository that can't be, for GitHub takes no owner with a dot: stages.toml
as it comes trusts nobody.
"""
_REPOSITORY: Final = re.compile(rf"([A-Za-z0-9-]{{1,39}}/|{re.escape(NOBODYS)})[\w.-]{{1,100}}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")
_ZONE_ID: Final = re.compile(r"Z[A-Z0-9]{1,31}")
_GITHUB_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_ZONES: Final = 3
TEAMS: Final = ("quant", "finetune", "eval")
"""Each has a namespace of its name."""
_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_VPC: Final = Between(16, 20)  # AWS takes /16 to /28; engines' nodes and pods need addresses
_SERVICES: Final = Between(12, 24)  # what EKS takes

# fmt: off
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]
# fmt: on

Branch = Literal["main", "develop"]


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Requests a second."""

    rate: Annotated[int, Between(1, 10_000)]
    burst: Annotated[int, Between(1, 5_000)]


@dataclass(frozen=True, kw_only=True)
class General:
    cpus: Annotated[int, Between(8, 1_000)]


@dataclass(frozen=True, kw_only=True)
class Gpu:
    limit: Annotated[int, Between(1, 100)]
    capacity: tuple[Literal["spot", "on-demand"], ...]


@dataclass(frozen=True, kw_only=True)
class Alarms:
    email: str


@dataclass(frozen=True, kw_only=True)
class Domain:
    """`name` is the API's own; engines are under `engines.<name>`, in a private zone."""

    name: str
    hosted_zone_id: str
    hosted_zone_name: str


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """An account can have one identity provider for GitHub: one stage of it may create that."""

    repository: str
    branches: tuple[Branch, ...]
    on_push: Branch | None = None
    owner_id: str | None = None
    repository_id: str | None = None
    provider: Literal["create", "existing"] = "existing"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    account: str | None = None
    region: str
    zones: tuple[str, ...]
    cidr: str
    nat_gateways: Annotated[int, Between(1, 3)]
    removal: Literal["destroy", "retain"]
    log_retention_days: RetentionDays
    integration_timeout_s: Annotated[int, Between(1, 300)]
    sagemaker: bool
    throttle: Throttle
    general: General
    gpu: Gpu
    administrators: tuple[str, ...]
    viewers: tuple[str, ...] = ()
    teams: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    github: GitHub
    alarms: Alarms | None = None
    domain: Domain | None = None


@dataclass(frozen=True, kw_only=True)
class Stage(_Entry):
    """An entry of the file with its name, and what the file says for all."""

    name: str
    service_cidr: str


@dataclass(frozen=True, kw_only=True)
class _StagesFile:
    service_cidr: str
    stages: Mapping[str, _Entry]


def load_stage(name: str, path: Path = STAGES_TOML) -> Stage:
    """Raises WrongInput for an unknown name, ConfigError for what is wrong in the file."""
    stages = load_stages(path)
    if name not in stages:
        raise WrongInput(f"stage: no {name!r} in {path.name}; there are: {', '.join(stages)}")
    return stages[name]


def load_stages(path: Path = STAGES_TOML) -> Mapping[str, Stage]:
    source = path.name
    file = build(_StagesFile, read_toml(path), source, "")
    service_cidr = _network(file.service_cidr, _SERVICES, source, "service_cidr")
    stages = {
        name: _checked(Stage(name=name, service_cidr=file.service_cidr, **vars(entry)), source)
        for name, entry in file.stages.items()
    }
    networks = {"service_cidr": service_cidr} | {
        f"stages.{name}.cidr": _network(stage.cidr, _VPC, source, f"stages.{name}.cidr")
        for name, stage in stages.items()
    }
    for (one, first), (other, second) in combinations(networks.items(), 2):
        if first.overlaps(second):
            raise ConfigError(source, other, f"{second} overlaps {one}, which is {first}")
    _check_pushes(stages, source)
    return stages


def _check_pushes(stages: Mapping[str, Stage], source: str) -> None:
    """A push has one way to go."""
    takers: dict[str, str] = {}
    for name, stage in stages.items():
        branch = stage.github.on_push
        if branch and takers.setdefault(branch, name) != name:
            key = f"stages.{name}.github.on_push"
            raise ConfigError(source, key, f"is {branch}, which goes to {takers[branch]} already")


def _checked(stage: Stage, source: str) -> Stage:
    key = f"stages.{stage.name}"
    if not NAME.fullmatch(stage.name):
        raise ConfigError(source, key, f"a stage's name is like {NAME.pattern}")
    for field, value, pattern, allowed in _patterns(stage):
        if not pattern.fullmatch(value):
            raise ConfigError(source, f"{key}.{field}", f"is {value!r}; must be {allowed}")
    _check_zones(stage, source, key)
    _check_people(stage, source, key)
    if not stage.gpu.capacity or len(set(stage.gpu.capacity)) != len(stage.gpu.capacity):
        raise ConfigError(source, f"{key}.gpu.capacity", "must name spot, on-demand or both, once")
    _check_github(stage.github, source, f"{key}.github")
    return stage


def _patterns(stage: Stage) -> Iterator[tuple[str, str, re.Pattern[str], str]]:
    """Field, value, what it must look like, and that in words."""
    yield "region", stage.region, _REGION, "a region, like us-west-2"
    yield "github.repository", stage.github.repository, _REPOSITORY, "owner/name"
    for field in ("owner_id", "repository_id"):
        if (number := getattr(stage.github, field)) is not None:
            yield f"github.{field}", number, _GITHUB_ID, "digits, in quotes"
    if stage.account is not None:
        yield "account", stage.account, _ACCOUNT, "twelve digits, in quotes"
    if stage.alarms:
        yield "alarms.email", stage.alarms.email, _EMAIL, "a mail address"
    if stage.domain:
        yield "domain.name", stage.domain.name, _DOMAIN, "a domain name in lower case"
        yield "domain.hosted_zone_id", stage.domain.hosted_zone_id, _ZONE_ID, "like Z0123ABC"
        under = re.compile(rf"(.+\.)?{re.escape(stage.domain.hosted_zone_name)}")
        yield "domain.name", stage.domain.name, under, "under domain.hosted_zone_name"
    for field, roles in _people(stage).items():
        for role in roles:
            yield field, role, _ROLE_ARN, "ARNs of IAM roles"


def _people(stage: Stage) -> Mapping[str, tuple[str, ...]]:
    """Roles by the key that names them."""
    teams = {f"teams.{team}": roles for team, roles in stage.teams.items()}
    return {"administrators": stage.administrators, "viewers": stage.viewers, **teams}


def _check_zones(stage: Stage, source: str, key: str) -> None:
    in_region = [zone for zone in stage.zones if re.fullmatch(f"{stage.region}[a-z]", zone)]
    if len(set(in_region)) != _ZONES or len(stage.zones) != _ZONES:
        told = ", ".join(stage.zones) or "none"
        raise ConfigError(
            source, f"{key}.zones", f"must be {_ZONES} zones of {stage.region}; are: {told}"
        )


def _check_people(stage: Stage, source: str, key: str) -> None:
    for team in stage.teams.keys() - set(TEAMS):
        raise ConfigError(source, f"{key}.teams.{team}", f"is no team; allowed: {', '.join(TEAMS)}")
    for field, roles in _people(stage).items():
        if len(set(roles)) != len(roles):
            raise ConfigError(source, f"{key}.{field}", "must name each role once")


def _check_github(github: GitHub, source: str, key: str) -> None:
    if not github.branches or len(set(github.branches)) != len(github.branches):
        raise ConfigError(source, f"{key}.branches", "must name main, develop or both, once")
    if github.on_push and github.on_push not in github.branches:
        raise ConfigError(source, f"{key}.on_push", f"is {github.on_push}; must be in branches")
    if (github.owner_id is None) != (github.repository_id is None):
        raise ConfigError(source, key, "must have owner_id and repository_id, or neither")


def _network(cidr: str, prefix: Between, source: str, key: str) -> IPv4Network:
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        raise ConfigError(source, key, f"is no network: {error}") from None
    private = any(network.subnet_of(block) for block in _PRIVATE)
    if not (private and prefix.low <= network.prefixlen <= prefix.high):
        allowed = f"/{prefix.low} to /{prefix.high} within {', '.join(map(str, _PRIVATE))}"
        raise ConfigError(source, key, f"is {cidr}; allowed: {allowed}")
    return network
