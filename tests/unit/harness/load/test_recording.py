"""What is recorded of an exchange."""

from chalicelib.exchange import Route
from harness.load.exchange import Exchange
from harness.load.item import Item
from harness.load.recording import record_of
from harness.load.response import Response
from harness.records import Record
from tests.support.harness_runs import plan, rows


def answered(route: Route) -> Record:
    """By the gateway, with the headers that it sends."""
    item = Item(index=0, arm=plan().arms[0], row=rows(1)[0], pair=0, seed=1)
    exchange = Exchange(item, b"", 0, lambda _: None)
    response = exchange.response = Response()
    headers = "".join(f"{name}: {value}\r\n" for name, value in route.headers().items())
    head = f"HTTP/1.1 429 Too Many Requests\r\n{headers}Content-Length: 0\r\n\r\n"
    assert response.receive(head.encode(), 1)
    exchange.ended_ns = 1
    return record_of(exchange, 0, "c-1")


def test_who_answered_is_recorded() -> None:
    record = answered(Route(variant="lora-v1", target="vllm:lora"))
    assert (record.variant, record.target) == ("lora-v1", "vllm:lora")


def test_a_request_that_was_refused_before_it_was_routed_names_nobody() -> None:
    record = answered(Route())
    assert (record.variant, record.target) == ("", "")
    assert record.error == "http_429"
