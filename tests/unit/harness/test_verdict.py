import pytest

from harness.verdict import Finding, Verdict, overall


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 2), (Verdict.INVALID, 3)],
)
def test_a_pipeline_sees_the_documented_code(verdict: Verdict, code: int) -> None:
    assert verdict.exit_code == code


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([], Verdict.INCONCLUSIVE),
        ([Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS], Verdict.FAIL),
        ([Verdict.INVALID, Verdict.FAIL], Verdict.INVALID),
    ],
)
def test_the_worst_finding_decides(found: list[Verdict], verdict: Verdict) -> None:
    findings = [Finding(name="x", verdict=one, reason="because") for one in found]

    assert overall(findings) is verdict
