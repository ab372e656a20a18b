"""Keys and what they allow."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth import SCOPES, Key, Principal, bearer
from chalicelib.errors import GatewayError

KNOWN: Final = Key(id="abcdef012345", secret="S" * 43)
NAMES: Final = st.frozensets(st.from_regex(r"[a-z*:]{1,12}", fullmatch=True))


def principal(*scopes: str, teams: tuple[str, ...] = ("quant",)) -> Principal:
    return Principal(key_id="k", teams=frozenset(teams), scopes=frozenset(scopes))


def test_a_new_key_has_the_documented_form_and_reads_back() -> None:
    key = Key.new()
    assert re.fullmatch(r"llmo_[0-9a-f]{12}_[0-9A-Za-z]{49}", str(key))
    assert Key.parse(str(key)) == key


def test_no_two_keys_are_the_same() -> None:
    keys = [Key.new() for _ in range(200)]
    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 200


def test_a_rotated_key_keeps_its_id() -> None:
    again = Key.new(KNOWN.id)
    assert again.id == KNOWN.id
    assert again.secret != KNOWN.secret


@given(place=st.integers(0, 66), character=st.characters())
def test_one_wrong_character_is_noticed(place: int, character: str) -> None:
    text = str(KNOWN)
    wrong = text[:place] + character + text[place + 1 :]
    assert (Key.parse(wrong) is None) == (wrong != text)


@given(st.text())
def test_any_text_can_be_tried_as_a_key(text: str) -> None:
    assert Key.parse(text) is None


@pytest.mark.parametrize("text", ["", "llmo_", f"{KNOWN}\n", f" {KNOWN}", str(KNOWN).upper()])
def test_almost_a_key_is_none(text: str) -> None:
    assert Key.parse(text) is None


def test_a_keys_secret_does_not_show_when_it_is_printed_by_mistake() -> None:
    assert KNOWN.secret not in repr(KNOWN)
    assert KNOWN.secret not in f"{[KNOWN]}"


def test_the_digest_depends_on_id_secret_and_pepper() -> None:
    digests = {
        KNOWN.digest("a"),
        KNOWN.digest("b"),
        Key(id="abcdef012346", secret=KNOWN.secret).digest("a"),
        Key(id=KNOWN.id, secret="T" * 43).digest("a"),
    }
    assert len(digests) == 4
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    assert KNOWN.digest("a") == KNOWN.digest("a")


@pytest.mark.parametrize("header", [f"Bearer {KNOWN}", f"bearer {KNOWN}", f"  BEARER   {KNOWN}  "])
def test_a_bearer_header_holds_a_key(header: str) -> None:
    assert bearer(header) == KNOWN


@pytest.mark.parametrize("header", ["", "Bearer", f"Basic {KNOWN}", str(KNOWN), "Bearer x y"])
def test_any_other_header_holds_none(header: str) -> None:
    assert bearer(header) is None


@given(key_id=st.text(min_size=1), teams=NAMES, scopes=NAMES)
def test_a_principal_survives_the_authorizers_context(
    key_id: str, teams: frozenset[str], scopes: frozenset[str]
) -> None:
    before = Principal(key_id=key_id, teams=teams, scopes=scopes)
    context = before.to_context()
    assert all(isinstance(value, str) for value in context.values())
    assert Principal.from_context(context) == before


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_allows_itself_only_and_admin_all(scope: str) -> None:
    principal(scope).require(scope)
    principal("admin").require(scope)
    others = [other for other in SCOPES if other not in {scope, "admin"}]
    with pytest.raises(GatewayError, match=repr(scope)) as caught:
        principal(*others).require(scope)
    assert caught.value.code == "forbidden"


def test_a_team_is_open_to_its_own_to_everybodys_and_where_it_is_shared() -> None:
    principal().require_team("quant")
    principal(teams=("*",)).require_team("eval")
    principal().require_team("reference", shared=True)
    with pytest.raises(GatewayError, match="'eval'") as caught:
        principal("admin").require_team("eval")
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize(
    ("teams", "scopes"),
    [(["quant"], ["invoke"]), (["quant"], []), ([], ["invoke", "pin"])],
)
def test_what_one_has_one_can_grant(teams: list[str], scopes: list[str]) -> None:
    principal("invoke", "pin").require_grant(teams, scopes)


@pytest.mark.parametrize(
    ("teams", "scopes"),
    [(["eval"], []), (["*"], []), (["quant", "eval"], []), ([], ["admin"]), ([], ["score"])],
)
def test_what_one_has_not_one_cannot_grant(teams: list[str], scopes: list[str]) -> None:
    with pytest.raises(GatewayError) as caught:
        principal("invoke", "pin").require_grant(teams, scopes)
    assert caught.value.code == "forbidden"
