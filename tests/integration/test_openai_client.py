"""The official client, unmodified."""

from collections.abc import Iterator

import openai
import pytest

from chalicelib.auth import Key
from tests.integration.conftest import Stack


def client_of(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.gateway.url}/v1", api_key=key, max_retries=0)


@pytest.fixture(scope="module")
def client(shipped: Stack) -> Iterator[openai.OpenAI]:
    with client_of(shipped, shipped.key("invoke", "pin")) as made:
        yield made


def test_a_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="finetune/lora-v2", messages=[{"role": "user", "content": "hi"}], max_tokens=5
    )
    assert answer.model == "lora-v2"
    assert answer.choices[0].message.content
    assert answer.usage
    assert answer.usage.completion_tokens <= 5


def test_a_chats_route_is_in_its_headers(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="finetune",
        messages=[{"role": "user", "content": "hi"}],
        user="somebody",
        extra_headers={"X-Correlation-ID": "from-the-client"},
    )
    assert raw.headers["x-correlation-id"] == "from-the-client"
    assert raw.headers["x-route-variant"] == raw.parse().model


def test_a_text_completion(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="reference", prompt="Once", max_tokens=3)
    assert answer.choices[0].text
    assert answer.choices[0].finish_reason == "length"


def test_fields_that_only_vllm_knows_pass_as_extra_body(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="reference",
        messages=[{"role": "user", "content": "hi"}],
        extra_body={"top_k": 3, "return_token_ids": True},
    )
    assert answer.choices[0].model_extra
    assert answer.choices[0].model_extra["token_ids"]


def test_the_models(client: openai.OpenAI) -> None:
    names = {model.id for model in client.models.list()}
    assert {"quant", "finetune", "finetune/lora-v1", "eval", "reference"} <= names


@pytest.mark.parametrize("name", ["finetune", "finetune/lora-v1"])
def test_one_model(client: openai.OpenAI, name: str) -> None:
    model = client.models.retrieve(name)
    assert (model.id, model.owned_by) == (name, "finetune")


@pytest.mark.parametrize("name", ["gpt-4", "finetune/lora-v9", "finetune/"])
def test_a_model_there_is_not(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(name)
    assert caught.value.code == "not_found"


def test_a_bad_field_is_a_bad_request_with_its_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="finetune", messages=[{"role": "user", "content": "hi"}], temperature=99
        )
    assert caught.value.code == "invalid_request"
    assert caught.value.param == "temperature"
    assert caught.value.type == "invalid_request_error"


def test_streaming_is_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="finetune", messages=[{"role": "user", "content": "hi"}], stream=True
        )
    assert caught.value.code == "streaming_unavailable"


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "hi"}])
    assert caught.value.code == "unknown_team"


def test_a_wrong_key_is_an_authentication_error(shipped: Stack) -> None:
    with (
        client_of(shipped, str(Key.new())) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        stranger.models.list()
    assert caught.value.code == "invalid_key"


def test_another_teams_model_is_permission_denied(shipped: Stack) -> None:
    key = shipped.key("invoke", teams=("quant",))
    with client_of(shipped, key) as guest, pytest.raises(openai.PermissionDeniedError) as caught:
        guest.completions.create(model="finetune", prompt="hi")
    assert caught.value.code == "forbidden"


def test_a_failed_target_is_an_internal_server_error(faulty: Stack) -> None:
    with (
        client_of(faulty, faulty.key("invoke")) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.completions.create(model="nowhere", prompt="hi")
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_error")
