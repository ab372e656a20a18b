"""Any JSON at all: an answer or a contract error, never a fault of the gateway's own."""

import json
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import openai_fields
from tests.integration.conftest import Stack
from tests.support.contract import check_error, check_headers

SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
MESSAGES: Final = st.just([{"role": "user", "content": "hi"}])
WELL: Final = {
    "temperature": st.floats(0, 2),
    "max_tokens": st.integers(1, 50),
    "seed": st.integers(-5, 5),
    "stop": st.text(min_size=1, max_size=4) | st.lists(st.text(min_size=1, max_size=4), max_size=3),
    "messages": MESSAGES,
    "prompt": st.text(min_size=1, max_size=20),
    "model": st.sampled_from(["finetune", "reference", "quant/awq"]),
}


GOOD: Final[list[dict[str, Any]]] = [
    {},
    {"prompt": "hi"},
    {"model": "finetune", "messages": [{"role": "user", "content": "hi"}]},
    {"model": "finetune", "prompt": "hi"},
]


@st.composite
def bodies(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """A good body with a few fields well or wildly filled, and now and then an unknown one."""
    body = dict(draw(st.sampled_from(GOOD)))
    for name in draw(st.lists(st.sampled_from(names), max_size=4)):
        body[name] = draw(WELL.get(name, VALUES) if draw(st.booleans()) else VALUES)
    if draw(st.integers(0, 4)) == 0:
        body[draw(st.text(max_size=8))] = draw(VALUES)
    return body


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/finetune/predict", openai_fields.predict(4096)),
        ("/v1/chat/completions", openai_fields.chat(4096)),
        ("/v1/completions", openai_fields.completion(4096)),
    ],
)
def test_no_body_breaks_the_gateway(
    shipped: Stack, admin: httpx.Client, path: str, fields: dict[str, Any]
) -> None:
    statuses = set()

    @settings(max_examples=200)
    @given(bodies([*fields, "model", "variant", "chat_template"]))
    def ask(body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        response = admin.post(path, content=content, headers=headers)
        check_headers(response)
        statuses.add(response.status_code)
        assert response.status_code in {200, 400, 404}, (body, response.text)
        if response.status_code != 200:
            error = response.json()["error"]
            check_error(response, error["code"], error["param"])

    ask()
    assert statuses >= {200, 400}
    assert "Traceback" not in shipped.gateway.log()


def test_no_bytes_break_the_gateway(shipped: Stack, admin: httpx.Client) -> None:
    @settings(max_examples=150)
    @given(st.binary(max_size=200))
    def ask(content: bytes) -> None:
        headers = {"content-type": "application/json"}
        response = admin.post("/api/finetune/predict", content=content, headers=headers)
        error = response.json()["error"]
        assert error["code"] in {"invalid_json", "invalid_request"}
        check_error(response, error["code"], error["param"])

    ask()
    assert "Traceback" not in shipped.gateway.log()
