"""What a gate asks for: a TOML file, read strictly, so that no misspelt limit goes unasked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec

from harness.errors import PolicyError
from harness.plan import Positive, Share, Slo

SHIPPED: Final = Path(__file__).parent / "policies"
_Margin = Annotated[float, msgspec.Meta(ge=0, lt=1)]
_Ratio = Annotated[float, msgspec.Meta(gt=0, le=2)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is None is not asked."""


class Quality(_Table, frozen=True, kw_only=True):
    min_pass_rate: Share | None = None
    """Of the whole interval; 1 asks for all of those seen."""
    margin: _Margin | None = None
    """So much lower than the baseline's may the pass rate surely not be."""
    min_ratio: _Ratio | None = None
    """Pass rate over the baseline's, the whole interval: MLPerf's 0.99 or 0.999."""
    min_length_ratio: _Ratio | None = None
    """Completion tokens an answer, over the baseline's."""


class Errors(_Table, frozen=True, kw_only=True):
    max_rate: Share | None = None
    """Of the whole interval; 0 asks for none of those seen."""


class Percentiles(_Table, frozen=True, kw_only=True):
    """Milliseconds, of all requests: one that failed took forever."""

    p50: Positive | None = None
    p90: Positive | None = None
    p95: Positive | None = None
    p99: Positive | None = None


class Goodput(_Table, frozen=True, kw_only=True):
    """Share of requests that are answered within all of these objectives together."""

    min_share: Share | None = None
    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    latency_ms: Positive | None = None

    @property
    def slo(self) -> Slo:
        return Slo(ttft_ms=self.ttft_ms, tpot_ms=self.tpot_ms, latency_ms=self.latency_ms)


class Cost(_Table, frozen=True, kw_only=True):
    """Of the run, at its load; not of an interval."""

    max_usd_per_1k_requests: Positive | None = None
    max_usd_per_1k_tokens: Positive | None = None
    """Completion tokens."""


class Policy(_Table, frozen=True, kw_only=True):
    quality: Quality = Quality()
    errors: Errors = Errors()
    ttft_ms: Percentiles = Percentiles()
    tpot_ms: Percentiles = Percentiles()
    latency_ms: Percentiles = Percentiles()
    goodput: Goodput = Goodput()
    cost: Cost = Cost()
    usd_per_hour: dict[str, Positive] = {}
    """Prices, by arm or model."""

    def limits(self) -> Iterator[tuple[str, float]]:
        """What is asked: `quality.margin` and its limit."""
        for table in _ASKED:
            for name, limit in msgspec.structs.asdict(getattr(self, table)).items():
                if limit is not None and (table, name) not in _NO_LIMITS:
                    yield f"{table}.{name}", limit

    @property
    def asks_times(self) -> bool:
        return any(key.partition(".")[0] in _OF_TIME for key, _ in self.limits())


_ASKED: Final = ("quality", "errors", "ttft_ms", "tpot_ms", "latency_ms", "goodput", "cost")
_OF_TIME: Final = frozenset({"ttft_ms", "tpot_ms", "latency_ms", "goodput"})
_NO_LIMITS: Final = {("goodput", name) for name in Slo.__struct_fields__}
"""They say what a good request is; the limit is the share."""


def policy_of(where: str) -> Policy:
    """A shipped policy by its name, or a file.

    Raises PolicyError, naming file, key and what is allowed.
    """
    shipped = SHIPPED / f"{where}.toml"
    path = shipped if "/" not in where and shipped.exists() else Path(where)
    try:
        policy = msgspec.toml.decode(path.read_bytes(), type=Policy)
    except FileNotFoundError:
        names = ", ".join(sorted(one.stem for one in SHIPPED.glob("*.toml")))
        raise PolicyError(
            f"{where} is no policy file, and none of those shipped: {names}"
        ) from None
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: {error}") from None
    if not any(True for _ in policy.limits()):
        raise PolicyError(f"{path}: it asks for nothing, so nothing could pass it")
    if (policy.goodput.min_share is None) != (policy.goodput.slo == Slo()):
        raise PolicyError(f"{path}: goodput takes min_share and an objective, e.g. latency_ms")
    return policy
