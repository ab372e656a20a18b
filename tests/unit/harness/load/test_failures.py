import pytest

from harness.load import failures


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, ""),
        (204, ""),
        (301, "http_3xx"),
        (400, "http_4xx"),
        (401, "http_401"),
        (403, "http_403"),
        (404, "http_404"),
        (422, "http_4xx"),
        (429, "http_429"),
        (500, "http_5xx"),
        (503, "http_5xx"),
    ],
)
def test_a_status_has_its_class_and_every_class_its_words(status: int, error: str) -> None:
    assert failures.of_status(status) == error
    assert not error or failures.describe(error) != error


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls"])
def test_a_proper_ending_is_no_failure(reason: str) -> None:
    assert failures.of_ending(reason) == ""


@pytest.mark.parametrize("reason", ["abort", "", "content_filter", "error"])
def test_any_other_ending_is_an_abort(reason: str) -> None:
    assert failures.of_ending(reason) == failures.ABORTED
