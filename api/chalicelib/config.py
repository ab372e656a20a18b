"""`gateway.toml`: teams, variants and targets, read strictly.

A wrong value stops the gateway from starting, with file, key and reason.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from chalicelib.errors import ConfigError
from chalicelib.strict_table import StrictTable

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NOBODY: Final = "none"
"""In place of a name, in headers of a request for which nothing was decided."""
MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")
TARGET: Final = re.compile(
    r"(?:(vllm):([a-z0-9][a-z0-9-]{0,62}))"
    r"|(?:(sagemaker):([A-Za-z0-9][A-Za-z0-9-]{0,62}(?:[/#][A-Za-z0-9-]{1,63})?))"
)


class Target(NamedTuple):
    """One place a variant can be reached."""

    name: str
    backend: str
    place: str


class Variant(NamedTuple):
    """What answers a request: a served model name, and where it can be reached."""

    name: str
    model: str
    weight: int
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Team:
    """One team's part of the file; equal only to itself, so that it can key a cache."""

    name: str
    timeout_s: float
    attempt_timeout_s: float
    max_attempts: int
    cross_variant_fallback: bool
    shared: bool
    salt: str
    variants: Mapping[str, Variant]

    @property
    def declared_weights(self) -> dict[str, int]:
        return {variant.name: variant.weight for variant in self.variants.values()}


class BreakerPolicy(NamedTuple):
    window_s: float = 30
    min_calls: int = 5
    failure_ratio: float = 0.5
    open_s: float = 15


class Config(NamedTuple):
    teams: Mapping[str, Team]
    breaker: BreakerPolicy

    def targets(self) -> Iterator[Target]:
        """Every target once."""
        seen = {
            t.name: t
            for team in self.teams.values()
            for v in team.variants.values()
            for t in v.targets
        }
        yield from seen.values()


def load_config(
    path: Path, *, integration_timeout_s: float, backends: Collection[str] | None = None
) -> Config:
    """Read and check `gateway.toml`, less the targets of backends that a stage lacks.

    Raises:
        ConfigError: naming the file, the key and the reason.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(str(path), "file", "does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path.name, "file", f"is not TOML: {error}") from None
    root = StrictTable(path.name, "", document)
    teams = {
        name: _team(StrictTable(path.name, f"teams.{name}", value), name, integration_timeout_s)
        for name, value in root.take("teams", dict).items()
    }
    breaker = _breaker(StrictTable(path.name, "breaker", root.take("breaker", dict, {})))
    root.finish()
    if not teams:
        raise ConfigError(path.name, "teams", "at least one team is needed")
    if backends is not None:
        teams = {name: _reachable(team, backends, path.name) for name, team in teams.items()}
    return Config(teams=teams, breaker=breaker)


def _reachable(team: Team, backends: Collection[str], source: str) -> Team:
    variants = {
        name: variant._replace(
            targets=tuple(target for target in variant.targets if target.backend in backends)
        )
        for name, variant in team.variants.items()
    }
    for name, variant in variants.items():
        if not variant.targets:
            had = ", ".join(sorted(backends))
            key = f"teams.{team.name}.variants.{name}.targets"
            raise ConfigError(source, key, f"none is of a backend that this stage has: {had}")
    return replace(team, variants=variants)


def _team(table: StrictTable, name: str, limit_s: float) -> Team:
    _check_name(table, name)
    timeout_s = table.number(
        "timeout_s", above=0, most=limit_s, most_is="the stage's integration limit"
    )
    team = Team(
        name=name,
        timeout_s=timeout_s,
        attempt_timeout_s=table.number(
            "attempt_timeout_s", above=0, most=timeout_s, default=timeout_s / 2
        ),
        max_attempts=int(table.number("max_attempts", above=0, most=5, default=2, whole=True)),
        cross_variant_fallback=table.take("cross_variant_fallback", bool, default=False),
        shared=table.take("shared", bool, default=False),
        salt=table.take("salt", str),
        variants={
            variant: _variant(
                StrictTable(table.source, f"{table.key}.variants.{variant}", value), variant
            )
            for variant, value in table.take("variants", dict).items()
        },
    )
    table.finish()
    total = sum(team.declared_weights.values())
    if total != 100:  # noqa: PLR2004  (per cent)
        raise ConfigError(
            table.source, f"{table.key}.variants", f"weights must sum to 100, sum to {total}"
        )
    return team


def _variant(table: StrictTable, name: str) -> Variant:
    _check_name(table, name)
    model = table.take("model", str)
    if not MODEL.fullmatch(model):
        raise table.error("model", f"{model!r} is no served model name ({MODEL.pattern})")
    names = table.take("targets", list)
    if not names or len(set(map(str, names))) != len(names):
        raise table.error("targets", "must name at least one target, each once")
    variant = Variant(
        name=name,
        model=model,
        weight=int(table.number("weight", above=-1, most=100, whole=True)),
        targets=tuple(_target(table, target) for target in names),
    )
    table.finish()
    return variant


def _target(table: StrictTable, name: object) -> Target:
    match = TARGET.fullmatch(name) if isinstance(name, str) else None
    if not match:
        raise table.error(
            "targets",
            f"{name!r} is neither vllm:<engine> nor "
            "sagemaker:<endpoint>[/<production variant>|#<inference component>]",
        )
    return Target(name=match[0], backend=match[1] or match[3], place=match[2] or match[4])


def _breaker(table: StrictTable) -> BreakerPolicy:
    usual = BreakerPolicy()
    policy = BreakerPolicy(
        window_s=table.number("window_s", above=0, most=3600, default=usual.window_s),
        min_calls=int(
            table.number("min_calls", above=0, most=1000, default=usual.min_calls, whole=True)
        ),
        failure_ratio=table.number("failure_ratio", above=0, most=1, default=usual.failure_ratio),
        open_s=table.number("open_s", above=0, most=3600, default=usual.open_s),
    )
    table.finish()
    return policy


def _check_name(table: StrictTable, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(table.source, table.key, f"a name must match {NAME.pattern}")
    if name == NOBODY:
        raise ConfigError(table.source, table.key, f"{name!r} says in headers that there is none")
