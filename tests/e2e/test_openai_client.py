"""OpenAI's own client, unmodified."""

from collections.abc import Iterator

import openai
import pytest

from tests.e2e.platform import SUM, Platform

pytestmark = pytest.mark.engines


@pytest.fixture
def client(platform: Platform) -> Iterator[openai.OpenAI]:
    with _client(platform, platform.state.keys["finetune"]) as made:
        yield made


def _client(platform: Platform, key: str) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{platform.state.gateway_url}/v1",
        api_key=key,
        max_retries=0,
    )


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="finetune/lora-v1",
        messages=[{"role": "user", "content": SUM}],
        temperature=0,
        max_tokens=32,
    )

    assert "4" in (answer.choices[0].message.content or "")
    assert answer.model == "lora-v1"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_chat_with_log_probabilities(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="reference",
        messages=[{"role": "user", "content": SUM}],
        temperature=0,
        max_tokens=8,
        logprobs=True,
        top_logprobs=2,
    )

    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content
    assert len(logprobs.content[0].top_logprobs) == 2


def test_completions(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model="reference", prompt="[INST] What is 2+2? [/INST]", temperature=0, max_tokens=16
    )

    assert "4" in answer.choices[0].text
    assert answer.model == "mistral-7b-fp16"


def test_models_are_those_the_key_may_ask(client: openai.OpenAI) -> None:
    names = {model.id for model in client.models.list()}

    assert names == {
        "finetune",
        "finetune/lora-v1",
        "finetune/lora-v2",
        "reference",
        "reference/fp16",
    }


@pytest.mark.parametrize(
    ("model", "max_tokens", "expected"),
    [
        ("finetune", -1, openai.BadRequestError),
        ("quant", 8, openai.PermissionDeniedError),
        ("nobody", 8, openai.NotFoundError),
        ("finetune/nothing", 8, openai.NotFoundError),
    ],
)
def test_errors_are_the_clients_own_classes(
    client: openai.OpenAI, model: str, max_tokens: int, expected: type[openai.APIStatusError]
) -> None:
    with pytest.raises(expected) as refusal:
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": SUM}], max_tokens=max_tokens
        )

    assert refusal.value.response.headers["x-correlation-id"]


def test_an_unknown_key_is_an_authentication_error(platform: Platform) -> None:
    key = platform.state.keys["finetune"]
    with (
        _client(platform, key[:-1] + ("0" if key[-1] != "0" else "1")) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


def test_a_prompt_longer_than_the_model_reads_is_a_bad_request(client: openai.OpenAI) -> None:
    """The engine's refusal comes back as the caller's fault, in the gateway's own words."""
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(
            model="finetune", messages=[{"role": "user", "content": "two " * 4000}], max_tokens=8
        )

    assert "two two" not in refusal.value.response.text
