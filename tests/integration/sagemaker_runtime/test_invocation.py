"""boto3 gets an engine's answer through the stand-in."""

import random
from collections import Counter

import pytest

from sagemaker_models.endpoints import Endpoint, ProductionVariant
from tests.integration.sagemaker_runtime.stand_in import Engine, Serve, client, invoke

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_body_reaches_the_engine_and_its_answer_comes_back(
    serve: Serve, engine: Engine
) -> None:
    engine.content = b'{"choices": [{"finish_reason": "stop"}]}'
    answer = invoke(serve(), Body=b'{"model": "mistral-7b-awq", "prompt": "hi"}')
    assert answer["Body"].read() == engine.content
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "awq"
    ((path, headers, body),) = engine.asked
    assert (path, body) == ("/invocations", b'{"model": "mistral-7b-awq", "prompt": "hi"}')
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer engine-key-for-tests"


@pytest.mark.parametrize(
    "attributes",
    [f"traceparent={TRACEPARENT}", f"tenant=a,traceparent={TRACEPARENT},x=1"],
)
def test_the_trace_context_in_custom_attributes_reaches_the_engine(
    serve: Serve, engine: Engine, attributes: str
) -> None:
    invoke(serve(), CustomAttributes=attributes, InferenceId="request-1")
    ((_, headers, _),) = engine.asked
    assert headers["traceparent"] == TRACEPARENT
    assert headers["x-amzn-sagemaker-custom-attributes"] == attributes
    assert headers["x-amzn-sagemaker-inference-id"] == "request-1"


def test_no_trace_context_is_made_up(serve: Serve, engine: Engine) -> None:
    invoke(serve(), CustomAttributes="traceparent=00-short")
    ((_, headers, _),) = engine.asked
    assert "traceparent" not in headers


def test_other_headers_are_stripped(serve: Serve, engine: Engine) -> None:
    sagemaker = client(serve())
    sagemaker.meta.events.register(
        "before-sign.sagemaker-runtime.InvokeEndpoint",
        lambda request, **_: request.headers.add_header("X-Correlation-ID", "a"),
    )
    sagemaker.invoke_endpoint(EndpointName="quant-endpoint", Body=b"{}")
    ((_, headers, _),) = engine.asked
    assert "x-correlation-id" not in headers


def two_variants(first: float, second: float) -> dict[str, Endpoint]:
    variants = {
        name: ProductionVariant(
            engine="mistral-7b-awq",
            weight=weight,
            initial_instance_count=1,
            instance_type="ml.g5.xlarge",
            local_instance_type="ml.g4dn.xlarge",
        )
        for name, weight in (("first", first), ("second", second))
    }
    return {"pair": Endpoint(team="quant", variants=variants)}


def test_production_variants_share_the_requests_by_weight(serve: Serve) -> None:
    url = serve(endpoints=two_variants(3, 1), chance=random.Random(7))
    invoked = Counter(invoke(url, "pair")["InvokedProductionVariant"] for _ in range(40))
    draws = random.Random(7)
    expected = Counter(draws.choices(["first", "second"], [3, 1])[0] for _ in range(40))
    assert invoked == expected
    assert invoked["first"] > invoked["second"] > 0


def test_a_variant_of_weight_0_answers_only_who_asks_for_it(serve: Serve) -> None:
    url = serve(endpoints=two_variants(1, 0))
    assert {invoke(url, "pair")["InvokedProductionVariant"] for _ in range(10)} == {"first"}
    answer = invoke(url, "pair", TargetVariant="second")
    assert answer["InvokedProductionVariant"] == "second"


def test_an_adapter_is_asked_for_by_its_inference_component(serve: Serve, engine: Engine) -> None:
    url = serve()
    for component in ("lora-v1", "lora-v2", "mistral-7b-lora"):
        invoke(url, "finetune-endpoint", InferenceComponentName=component)
    adapters = [
        headers.get("x-amzn-sagemaker-adapter-identifier") for _, headers, _ in engine.asked
    ]
    assert adapters == ["lora-v1", "lora-v2", None]


def test_the_adapter_header_of_a_caller_does_not_reach_the_engine(
    serve: Serve, engine: Engine
) -> None:
    """vLLM would load whatever folder it names."""
    sagemaker = client(serve())
    sagemaker.meta.events.register(
        "before-sign.sagemaker-runtime.InvokeEndpoint",
        lambda request, **_: request.headers.add_header(
            "X-Amzn-SageMaker-Adapter-Identifier", "../secrets"
        ),
    )
    sagemaker.invoke_endpoint(EndpointName="quant-endpoint", Body=b"{}")
    ((_, headers, _),) = engine.asked
    assert "x-amzn-sagemaker-adapter-identifier" not in headers
