"""Questions with a known outcome. A judge that gets them wrong is not believed about the others.

Identical answers must tie, and a known-bad answer must lose, each in both orders by itself: two
orders that contradict each other are a tie for a comparison, but no pass here, or a judge that
always says A would be a perfect one.
"""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final

import msgspec

from harness.judge.pairwise import Outcome, Pair, Preference
from harness.judge.prompting import Choice
from harness.judge.scoring import Case, Scored
from harness.judge.scoring import Outcome as ScoreOutcome
from harness.report.wording import bound
from harness.verdict import Finding, Verdict

LEAST_SHARE: Final = 0.9
"""Of the probes of a kind. With 12 of them one may go wrong, as a sound judge's may by chance."""
NAME: Final = "probe"
IDENTICAL: Final = "identical answers"
KNOWN_BAD: Final = "known-bad answers"


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    question: str
    good: str
    bad: str
    why: str
    """What is wrong with the bad one."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    probe: tuple[Probe, ...]


def load() -> tuple[Probe, ...]:
    text = files("harness.judge").joinpath("probes.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _File).probe


def pairs(probes: Sequence[Probe]) -> list[Pair]:
    """The good answer is always the left one."""
    return [
        Pair(
            pair_id=f"{kind}/{number}",
            question=probe.question,
            left=probe.good,
            right=right,
            category=kind,
        )
        for number, probe in enumerate(probes)
        for kind, right in ((IDENTICAL, probe.good), (KNOWN_BAD, probe.bad))
    ]


def pairwise_findings(preferences: Sequence[Preference]) -> tuple[Finding, ...]:
    """INVALID for each kind of which too few came out as they must."""
    return tuple(
        _finding(
            f"{NAME}: {kind}",
            passed=[right(one) for one in preferences if one.category == kind],
            must=must,
        )
        for kind, right, must in (
            (IDENTICAL, _tied, "tied in both orders"),
            (KNOWN_BAD, _won, "lost in both orders"),
        )
    )


def _tied(preference: Preference) -> bool:
    return preference.left_first is Choice.TIE and preference.right_first is Choice.TIE


def _won(preference: Preference) -> bool:
    return preference.outcome is Outcome.WIN


def cases(probes: Sequence[Probe]) -> list[Case]:
    return [
        Case(case_id=f"{kind}/{number}", question=probe.question, answer=answer, category=kind)
        for number, probe in enumerate(probes)
        for kind, answer in (("good", probe.good), ("bad", probe.bad))
    ]


def score_findings(outcomes: Mapping[str, ScoreOutcome]) -> tuple[Finding, ...]:
    """INVALID where a judge passes too many bad answers, or too few good ones."""
    return tuple(
        _finding(
            f"{NAME}: {name}",
            passed=[
                isinstance(outcome, Scored) and outcome.passed is passes
                for case_id, outcome in outcomes.items()
                if case_id.startswith(f"{kind}/")
            ],
            must=must,
        )
        for kind, name, passes, must in (
            ("good", "known-good answers", True, "passed"),
            ("bad", KNOWN_BAD, False, "did not pass"),
        )
    )


def _finding(name: str, *, passed: Sequence[bool], must: str) -> Finding:
    share = sum(passed) / len(passed) if passed else 0.0
    sound = share >= LEAST_SHARE
    reason = f"{sum(passed)} of {len(passed)} {must}; at least {bound(LEAST_SHARE)} must"
    if not sound:
        reason += ": what this judge says means nothing; ask one that passes"
    return Finding(
        name=name,
        verdict=Verdict.PASS if sound else Verdict.INVALID,
        reason=reason,
        measured=share,
        limit=LEAST_SHARE,
    )
