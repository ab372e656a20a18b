"""One request on its way: who asks, by which id, stuck to what."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import GatewayError
from chalicelib.exchange import Exchange, Route

VALID: Final = st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True)


def exchange(**headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(method="POST", path="/x", headers=named)


@given(VALID)
def test_a_valid_correlation_id_is_kept(given_id: str) -> None:
    made = exchange(x_correlation_id=given_id)
    made.check_headers()
    assert made.correlation_id == given_id
    assert made.response_headers()["X-Correlation-ID"] == given_id


@given(st.text().filter(lambda text: not text.isascii() or not text or not text.isprintable()))
def test_any_other_is_replaced_and_refused(given_id: str) -> None:
    made = exchange(x_correlation_id=given_id)
    assert made.correlation_id != given_id
    assert len(made.correlation_id) == 32
    with pytest.raises(GatewayError) as caught:
        made.check_headers()
    assert caught.value.param == "X-Correlation-ID"


def test_without_a_correlation_id_the_platforms_own_is_it() -> None:
    made = Exchange(method="POST", path="/x", headers={}, request_id="7f0c-aws")
    assert made.correlation_id == "7f0c-aws"
    odd = Exchange(method="POST", path="/x", headers={}, request_id="not one!")
    assert len(odd.correlation_id) == 32


def test_the_unit_is_the_session_or_else_the_request() -> None:
    assert exchange(x_session_id="s").unit == "s"
    made = exchange(x_correlation_id="c")
    assert made.unit == "c"


@pytest.mark.parametrize("session", ["", "s" * 257])
def test_a_session_of_the_wrong_length_is_refused(session: str) -> None:
    with pytest.raises(GatewayError) as caught:
        _ = exchange(x_session_id=session).unit
    assert caught.value.param == "X-Session-ID"


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({}, "missing_key"),
        ({"denied": "invalid_key"}, "invalid_key"),
        ({"denied": "x"}, "missing_key"),
    ],
)
def test_who_is_nobody_is_told_why(context: dict[str, str], code: str) -> None:
    made = Exchange(method="GET", path="/x", headers={}, authorizer=context)
    with pytest.raises(GatewayError) as caught:
        made.principal()
    assert caught.value.code == code


def test_every_response_says_where_it_went_even_if_nowhere() -> None:
    made = exchange()
    headers = made.response_headers()
    assert {name for name in headers if name.startswith("X-Route")} == {
        "X-Route-Team",
        "X-Route-Variant",
        "X-Route-Target",
        "X-Route-Version",
    }
    assert headers["X-Route-Team"] == "none"
    made.route = Route(team="t", variant="v", target="x:y", version="1", fallback="x:z:timeout")
    assert made.response_headers()["X-Route-Fallback"] == "x:z:timeout"
    assert float(headers["X-Latency-Ms"]) >= 0
