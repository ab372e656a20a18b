"""What only a hand-written client would send."""

from typing import Final

import pytest

from tests.integration.conftest import Stack
from tests.support.contract import check_error
from tests.support.raw_http import exchange, request

PREDICT: Final = "/api/finetune/predict"
JSON: Final = "Content-Type: application/json"


@pytest.fixture(scope="session")
def key(shipped: Stack) -> str:
    return f"Authorization: Bearer {shipped.key()}"


def test_a_body_over_the_platforms_limit_is_refused_by_its_length(shipped: Stack, key: str) -> None:
    """Ten megabytes are API Gateway's; not one byte of the body has to be sent."""
    sent = request("POST", PREDICT, key, JSON, f"Content-Length: {11 * 1024 * 1024}")
    check_error(exchange(shipped.gateway.url, sent), "too_large")


def test_a_body_in_chunks_is_refused(shipped: Stack, key: str) -> None:
    chunks = b'10\r\n{"prompt": "hi!"}\r\n0\r\n\r\n'
    sent = request("POST", PREDICT, key, JSON, "Transfer-Encoding: chunked", body=chunks)
    check_error(exchange(shipped.gateway.url, sent), "invalid_request")


def test_both_a_length_and_chunks_are_refused(shipped: Stack, key: str) -> None:
    """Else two servers in a row could disagree on where the request ends."""
    headers = (key, JSON, "Transfer-Encoding: chunked", "Content-Length: 5")
    sent = request("POST", PREDICT, *headers, body=b"0\r\n\r\n")
    check_error(exchange(shipped.gateway.url, sent), "invalid_request")


def test_two_lengths_are_refused(shipped: Stack, key: str) -> None:
    headers = (key, JSON, "Content-Length: 15", "Content-Length: 5")
    sent = request("POST", PREDICT, *headers, body=b'{"prompt":"hi"}')
    check_error(exchange(shipped.gateway.url, sent), "invalid_request")


def test_a_body_without_a_length_is_no_body(shipped: Stack, key: str) -> None:
    sent = request("POST", PREDICT, key, JSON)
    check_error(exchange(shipped.gateway.url, sent), "invalid_json")


@pytest.mark.parametrize("length", ["ten", "-5", "1e3", "5, 5", "²"])
def test_a_length_that_is_no_number_is_refused(shipped: Stack, key: str, length: str) -> None:
    lines = request("POST", PREDICT, key, JSON, "Content-Length: @")
    sent = lines.replace(b"@", length.encode("latin-1"))
    check_error(exchange(shipped.gateway.url, sent), "invalid_request")


@pytest.mark.parametrize(
    "line",
    ["X-Correlation-ID: a\r\n b", "X-Correlation-ID: a\x01b", "X-Correlation-ID: a\x7f"],
    ids=["folded over two lines", "control character", "delete"],
)
def test_a_correlation_id_with_control_characters_is_not_echoed(
    shipped: Stack, key: str, line: str
) -> None:
    sent = request("GET", "/v1/models", key, line)
    response = exchange(shipped.gateway.url, sent)
    check_error(response, "invalid_request", "X-Correlation-ID")


def test_a_header_cannot_be_smuggled_in_by_a_correlation_id(shipped: Stack, key: str) -> None:
    sent = request("GET", "/health", key, "X-Correlation-ID: a\nX-Injected: yes")
    response = exchange(shipped.gateway.url, sent)
    assert "x-injected" not in response.headers
    assert response.headers["x-correlation-id"] == "a"


@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_an_answer_to_head_has_no_body(shipped: Stack, path: str) -> None:
    """A client would take it for the beginning of the next answer."""
    with shipped.client(None) as client:
        assert client.head(path).status_code in {404, 405}
        assert client.get("/health").status_code == 200


def test_a_length_of_thousands_of_digits_is_refused(shipped: Stack, key: str) -> None:
    sent = request("POST", PREDICT, key, JSON, f"Content-Length: {'9' * 5000}")
    check_error(exchange(shipped.gateway.url, sent), "invalid_request")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GARBAGE\r\n\r\n", "invalid_request"),
        (b"GET /health HTTP/9.9\r\n\r\n", "invalid_request"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", "invalid_request"),
        (request("GET", "/health", "X-Long: " + "a" * 70_000), "invalid_request"),
        (request("GET", "/health", *(f"X-{n}: a" for n in range(150))), "invalid_request"),
        (request("TRACE", "/health"), "not_found"),
    ],
    ids=["no HTTP", "unknown version", "long path", "long header", "many headers", "method"],
)
def test_what_never_becomes_a_request_is_refused_in_the_contracts_shape(
    shipped: Stack, sent: bytes, code: str
) -> None:
    check_error(exchange(shipped.gateway.url, sent), code)
