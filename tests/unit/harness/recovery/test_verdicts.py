"""What a recovery run ends with, whatever was observed."""

import msgspec
import pytest

from harness.promptsets.rows import Row
from harness.recovery.analysis import analyse
from harness.recovery.observations import Generated, Observation, Position, Scored
from harness.recovery.plan import CANDIDATE, REFERENCE, REPEAT
from harness.recovery.policy import (
    AnswersPolicy,
    FidelityPolicy,
    Policy,
    QualityPolicy,
    SpeedPolicy,
)
from harness.recovery.results import Recovery
from harness.verdict import Finding, Verdict
from tests.support.recovery_runs import Change, toy_observations, toy_plan, toy_rows
from tests.support.toy_language_model import ToyModel

ROWS = toy_rows()
SLIGHT = ToyModel(noise=0.02)
DAMAGED = ToyModel(noise=4.0)


def found(
    candidate: ToyModel | None = None,
    change: Change | None = None,
    *,
    policy: Policy | None = None,
    one_model: bool = False,
    rows: tuple[Row, ...] = ROWS,
) -> Recovery:
    plan = toy_plan(policy=policy, one_model=one_model)
    models = {} if candidate is None else {CANDIDATE: candidate}
    return analyse(plan, rows, toy_observations(plan, rows, models, change))


def finding(of: Recovery, name: str) -> Finding:
    (one,) = (finding for finding in of.findings if finding.name == name)
    return one


def failing(arm: str, every: int = 1, error: str = "http_5xx") -> Change:
    """Of the arm's observations one in `every` is an error."""
    place = iter(range(10_000))

    def change(one: Observation) -> Observation:
        if one.arm != arm or next(place) % every:
            return one
        return msgspec.structs.replace(one, error=error)

    return change


def test_places_of_which_nothing_is_told_are_no_agreement() -> None:
    def hollow(one: Observation) -> Observation:
        if not isinstance(one, Scored):
            return one
        nothing = Position(ids=(), logprobs=(), ranks=())
        return msgspec.structs.replace(one, positions=(nothing,) * len(one.positions))

    told = found(change=hollow)

    assert told.verdict is Verdict.INVALID
    assert finding(told, "noise floor, top-1").measured == 0


def test_the_same_model_passes_and_is_no_way_from_itself() -> None:
    told = found()

    assert told.verdict is Verdict.PASS
    assert told.candidate.fidelity is not None
    assert told.candidate.fidelity.kl.value == 0
    assert told.candidate.quality is not None
    assert told.candidate.quality.recovery is not None
    assert told.candidate.quality.recovery.value == 1
    assert (told.planned, told.recorded) == (363, 363)


def test_a_slightly_other_model_passes_and_ranks_below_the_reference_against_itself() -> None:
    told = found(SLIGHT)

    assert told.verdict is Verdict.PASS
    assert told.candidate.fidelity is not None
    assert told.floor.fidelity is not None
    assert told.candidate.fidelity.kl.low > told.floor.fidelity.kl.value


def test_a_damaged_model_fails_in_quality_and_fidelity() -> None:
    told = found(DAMAGED)

    assert told.verdict is Verdict.FAIL
    assert told.verdict.exit_code == 1
    assert finding(told, "quality recovery").verdict is Verdict.FAIL
    assert finding(told, "KL divergence").verdict is Verdict.FAIL
    assert finding(told, "top-1 disagreement").verdict is Verdict.FAIL
    assert finding(told, "noise floor, KL").verdict is Verdict.PASS


def test_right_answers_don_t_hide_another_model() -> None:
    """Greedy answers, and so quality, are the reference's; the distributions are not."""
    told = found(ToyModel(noise=0.0, sharpness=0.5))

    assert finding(told, "quality recovery").verdict is Verdict.PASS
    assert finding(told, "KL divergence").verdict is Verdict.FAIL
    assert told.verdict is Verdict.FAIL


@pytest.mark.parametrize("damage", [DAMAGED, ToyModel(noise=1.0)])
def test_one_model_measured_as_two_is_never_fail(damage: ToyModel) -> None:
    """It would say that the model is worse than itself."""
    told = found(damage, one_model=True)

    assert told.verdict is Verdict.INVALID
    assert "noise floor is too low" in finding(told, "KL divergence").reason


def test_a_reference_that_is_noisy_itself_invalidates() -> None:
    plan = toy_plan()
    observed = toy_observations(plan, ROWS, {REPEAT: DAMAGED})

    told = analyse(plan, ROWS, observed)

    assert told.verdict is Verdict.INVALID
    invalid = [one.name for one in told.findings if one.verdict is Verdict.INVALID]
    assert set(invalid) == {"noise floor, KL", "noise floor, top-1", "noise floor, flips"}


def test_a_reference_that_fails_its_own_promptset_is_none() -> None:
    plan = toy_plan()
    wrong = dict.fromkeys((REFERENCE, REPEAT, CANDIDATE), DAMAGED)

    told = analyse(plan, ROWS, toy_observations(plan, ROWS, wrong))

    assert finding(told, "reference").verdict is Verdict.INVALID
    assert told.verdict is Verdict.INVALID


def test_a_candidate_that_answers_500_to_everything_fails() -> None:
    told = found(change=failing(CANDIDATE))

    assert told.verdict is Verdict.FAIL
    assert told.candidate.quality is not None
    assert told.candidate.quality.other.value == 0
    assert told.candidate.fidelity is None
    assert finding(told, "errors, candidate").verdict is Verdict.FAIL


@pytest.mark.parametrize("arm", [REFERENCE, REPEAT])
def test_errors_of_the_reference_invalidate(arm: str) -> None:
    told = found(change=failing(arm, every=10))

    assert finding(told, f"errors, {arm}").verdict is Verdict.INVALID
    assert told.verdict is Verdict.INVALID


def test_an_error_or_two_of_the_candidate_decide_nothing() -> None:
    told = found(change=failing(CANDIDATE, every=41))

    assert finding(told, "errors, candidate").verdict is Verdict.INCONCLUSIVE


def test_without_log_probabilities_nothing_is_vouched_for() -> None:
    def change(one: Observation) -> Observation:
        if not isinstance(one, Scored) or one.arm != CANDIDATE:
            return one
        return msgspec.structs.replace(one, positions=(), error="no prompt_logprobs")

    told = found(change=change)

    assert finding(told, "log-probabilities").verdict is Verdict.INVALID
    assert told.verdict is Verdict.INVALID


def test_another_tokenizer_invalidates() -> None:
    def change(one: Observation) -> Observation:
        if not isinstance(one, Generated) or one.arm != CANDIDATE:
            return one
        return msgspec.structs.replace(one, prompt_ids=(1, *one.prompt_ids))

    assert finding(found(change=change), "tokens").verdict is Verdict.INVALID


def test_a_split_team_is_not_one_model() -> None:
    variants = iter(["lora-v1", "lora-v2"] * 1_000)

    def change(one: Observation) -> Observation:
        if one.arm != CANDIDATE:
            return one
        return msgspec.structs.replace(one, variant=next(variants))

    told = found(change=change)

    assert finding(told, "one model, candidate").verdict is Verdict.INVALID


@pytest.mark.parametrize("times", [0, 2])
def test_a_lost_or_doubled_observation_invalidates(times: int) -> None:
    plan = toy_plan()
    observed = toy_observations(plan, ROWS)

    told = analyse(plan, ROWS, [*observed[1:], *observed[:1] * times])

    assert finding(told, "ledger").verdict is Verdict.INVALID
    assert told.verdict is Verdict.INVALID


def test_too_few_rows_are_inconclusive() -> None:
    told = found(rows=toy_rows(5))

    assert finding(told, "fidelity").verdict is Verdict.INCONCLUSIVE
    assert told.verdict is Verdict.INCONCLUSIVE
    assert told.verdict.exit_code == 2


def test_rows_without_checks_invalidate() -> None:
    rows = tuple(msgspec.structs.replace(row, checks=()) for row in ROWS)

    told = found(rows=rows)

    assert finding(told, "quality recovery").verdict is Verdict.INVALID


def test_a_strict_bar_needs_more_rows_than_there_are() -> None:
    """Sixty rows without a flip don't show 99.9 %."""
    strict = Policy(quality=QualityPolicy(min_recovery=0.999, margin=0))

    assert finding(found(policy=strict), "quality recovery").verdict is Verdict.INCONCLUSIVE


def test_answers_that_are_cut_short_fail() -> None:
    def change(one: Observation) -> Observation:
        if not isinstance(one, Generated) or one.arm != CANDIDATE:
            return one
        return msgspec.structs.replace(one, token_ids=one.token_ids[:1])

    told = found(change=change, policy=Policy(answers=AnswersPolicy(min_length_ratio=0.9)))

    assert finding(told, "answer length").verdict is Verdict.FAIL


def test_a_stricter_threshold_turns_the_verdict() -> None:
    strict = Policy(fidelity=FidelityPolicy(max_kl=1e-9))

    assert found(SLIGHT).verdict is Verdict.PASS
    assert finding(found(SLIGHT, policy=strict), "KL divergence").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("slower", "verdict"), [(0.5, Verdict.PASS), (1.0, Verdict.FAIL), (2.0, Verdict.FAIL)]
)
def test_speed_is_judged_where_it_is_asked_for(slower: float, verdict: Verdict) -> None:
    policy = Policy(speed=SpeedPolicy(min_speedup=1.5))
    plan = toy_plan(policy=policy, timings=66)

    told = analyse(plan, ROWS, toy_observations(plan, ROWS, slower=slower))

    assert finding(told, "speed-up").verdict is verdict
    speed = told.candidate.speed
    assert speed is not None
    for ratio in (speed.first_token, speed.per_token, speed.latency):
        assert ratio is not None
        assert ratio.value == pytest.approx(slower, rel=0.1)
    assert speed.throughput is not None
    assert speed.throughput.value == pytest.approx(1 / slower, rel=0.1)


def test_speed_that_was_not_asked_for_and_not_measured_is_unknown() -> None:
    told = found()

    assert told.candidate.speed is None
    assert told.arms[0].timing is None
    assert told.arms[0].memory.weights is None
    assert told.arms[0].memory.kv_cache == 1024
    assert not [one for one in told.findings if one.name == "speed-up"]
