"""How many functions a load takes, and what a run costs: arithmetic over `sizing.toml`."""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

_FILE: Final = Path(__file__).with_name("sizing.toml")
_US: Final = 1e-6
_KIB_PER_MB: Final = 1024
_MB_PER_GB: Final = 1024
_BYTES_PER_PART: Final = 8 << 20

RATES: Final = (20.0, 50.0, 100.0, 200.0)
"""Tokens a second of one stream."""

Bound = Literal["CPU", "memory", "file descriptors"]


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Client(_Data, frozen=True, kw_only=True):
    cpu_us_per_token: float
    kib_per_stream: float


class Function(_Data, frozen=True, kw_only=True):
    memory_mb: int
    cpu_share: float
    mb_before_streams: int
    file_descriptors: int
    overhead_s: float


class Prices(_Data, frozen=True, kw_only=True):
    """US dollars."""

    as_of: str
    lambda_gb_second: float
    lambda_request: float
    standard_transition: float
    express_request: float
    express_gb_second: float
    s3_put: float
    s3_get: float


class Basis(_Data, frozen=True, kw_only=True):
    client: Client
    function: Function
    prices: Prices


class Capacity(_Data, frozen=True, kw_only=True):
    streams: int
    """That one function carries."""
    bound: Bound
    """By what it is limited."""


class Cost(_Data, frozen=True, kw_only=True):
    """US dollars of one run, the model's side not included."""

    functions: float
    workflow: float
    objects: float

    @property
    def total(self) -> float:
        return self.functions + self.workflow + self.objects


@cache
def basis() -> Basis:
    return msgspec.convert(tomllib.loads(_FILE.read_text("utf-8")), Basis)


def capacity(tokens_per_s: float, given: Basis) -> Capacity:
    """Of one function, for streams that each give so many tokens a second."""
    function, client = given.function, given.client
    vcpus = min(1.0, function.memory_mb / 1769)
    room_mb = function.memory_mb - function.mb_before_streams
    bounds: dict[Bound, float] = {
        "CPU": vcpus * function.cpu_share / (tokens_per_s * client.cpu_us_per_token * _US),
        "memory": room_mb * _KIB_PER_MB / client.kib_per_stream,
        "file descriptors": function.file_descriptors,
    }
    bound = min(bounds, key=bounds.__getitem__)
    return Capacity(streams=math.floor(bounds[bound]), bound=bound)


def functions_for(streams: int, tokens_per_s: float, given: Basis) -> int:
    return math.ceil(streams / capacity(tokens_per_s, given).streams)


def cost(
    functions: int, seconds: float, given: Basis, *, parts: int = 1, express: bool = False
) -> Cost:
    """Of a run of `seconds` with so many shards, each writing `parts` objects of records.

    `express`: as if child workflows could be express ones, which end after 5 minutes.
    """
    prices, busy_s = given.prices, seconds + given.function.overhead_s
    gb = given.function.memory_mb / _MB_PER_GB
    invocations = functions + 2  # planning and merging
    puts = 3 + functions * (parts + 2) + 1  # plan, rows, tasks; records, health, result; summary
    gets = functions * 4 + functions + 5  # what each shard reads; what merging reads
    children = (
        functions * (prices.express_request + busy_s * 64 / _MB_PER_GB * prices.express_gb_second)
        if express
        else functions * 2 * prices.standard_transition
    )
    return Cost(
        functions=functions * busy_s * gb * prices.lambda_gb_second
        + invocations * prices.lambda_request,
        workflow=children + 6 * prices.standard_transition,
        objects=puts * prices.s3_put + gets * prices.s3_get,
    )


def table(
    streams: int = 50_000,
    seconds: float = 600,
    rates: tuple[float, ...] = RATES,
    given: Basis | None = None,
) -> str:
    """Markdown: a row for each speed of a stream."""
    given = given or basis()
    lines = [
        (
            f"| tokens/s of a stream | streams a function | limited by | functions for {streams:,} "
            f"streams | cost of {seconds:,.0f} s | of it Lambda, Step Functions, S3 |"
        ),
        "|---:|---:|---|---:|---:|---|",
    ]
    for rate in rates:
        each = capacity(rate, given)
        functions = functions_for(streams, rate, given)
        price = cost(functions, seconds, given, parts=_parts(streams / functions, rate, seconds))
        lines.append(
            f"| {rate:,.0f} | {each.streams:,} | {each.bound} | {functions:,} "
            f"| ${price.total:,.2f} | ${price.functions:,.2f}, ${price.workflow:,.4f}, "
            f"${price.objects:,.4f} |"
        )
    return "\n".join(lines)


def _parts(streams: float, tokens_per_s: float, seconds: float) -> int:
    """Objects of records: about 10 bytes a token, answer and gap."""
    return max(1, math.ceil(streams * tokens_per_s * seconds * 10 / _BYTES_PER_PART))
