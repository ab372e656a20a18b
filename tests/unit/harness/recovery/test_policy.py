"""A policy says what it says, or is refused."""

from pathlib import Path

import pytest

from harness.errors import PolicyError
from harness.recovery.policy import EXAMPLE, Policy, QualityPolicy


def test_what_a_policy_doesn_t_name_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[quality]\nmin_recovery = 0.999\n")

    assert Policy.read(path) == Policy(quality=QualityPolicy(min_recovery=0.999))


def test_the_example_says_what_holds_without_one() -> None:
    assert Policy.read(EXAMPLE) == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[quality]\nmin_recovry = 0.9\n", "min_recovry"),
        ("[qualty]\n", "qualty"),
        ("[quality]\nmin_recovery = 1.5\n", "$.quality.min_recovery"),
        ("[quality]\nmin_recovery = 0\n", "$.quality.min_recovery"),
        ("[fidelity]\nmax_kl = '0.1'\n", "$.fidelity.max_kl"),
        ("[fidelity]\nmax_kl = -1\n", "$.fidelity.max_kl"),
        ("[floor\n", "policy.toml"),
        ("\udcff", "policy.toml"),
    ],
)
def test_a_wrong_policy_is_told_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(PolicyError) as refused:
        Policy.read(path)

    assert said in str(refused.value)


def test_a_policy_that_isn_t_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="No such file"):
        Policy.read(tmp_path / "policy.toml")
