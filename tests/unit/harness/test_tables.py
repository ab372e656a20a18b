import io
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from harness.demo import tables
from harness.demo.asking import Exchange
from harness.demo.proof import shares
from harness.demo.questions import JUDGED, PREDICTIONS
from harness.demo.show import told


def _printed(table: Table) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(table)
    return out.getvalue()


def _exchange(**document: object) -> Exchange:
    return Exchange(
        question=PREDICTIONS[2],
        correlation_id="demo-3",
        status=200,
        headers={
            "x-correlation-id": "demo-3",
            "x-route-team": "finetune",
            "x-route-variant": "lora-v1",
            "x-route-target": "sagemaker:finetune-endpoint",
            "x-latency-ms": "71.504",
        },
        document=document,
    )


def test_a_row_shows_who_answered_what_in_a_hundred_columns_without_colours() -> None:
    answered = _exchange(output="The answer is 4.", usage={"total_tokens": 25})

    text = _printed(tables.answers([answered]))

    for shown in ("finetune", "2+2?", "lora-v1", "(pinned)", "sagemaker:", "72", "25"):
        assert shown in text
    assert "finetune-endpoint" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_judgement_is_a_row_that_shows_what_was_judged_and_no_made_up_tokens() -> None:
    judged = replace(_exchange(passed=True), question=JUDGED[0].question)

    text = _printed(tables.answers([judged]))

    for shown in ("What is", "(judged:", "passed", "lora-v1", "demo-3"):
        assert shown in text
    assert judged.tokens is None


def test_an_error_is_a_row_too() -> None:
    assert "demo-3" in _printed(tables.answers([_exchange(error={"code": "upstream_error"})]))


def test_headers_are_shown_as_they_came() -> None:
    text = _printed(tables.headers(_exchange()))

    assert "X-Route-Target" in text
    assert "sagemaker:finetune-endpoint" in text
    assert "X-Route-Fallback" not in text


def test_the_split_shows_weight_range_and_count() -> None:
    counts = {"lora-v1": 80, "lora-v2": 20}

    text = _printed(tables.split(shares(counts, counts), 100))

    assert "20 %" in text
    assert "8-34" in text


def test_the_judges_scores_are_shown() -> None:
    scores = {"coherence": 0.95, "helpfulness": 0.9, "factuality": 0.97, "toxicity": 0.0}
    judged = _exchange(**scores, passed=True, reasoning="It is right.")

    text = _printed(tables.judgements([(JUDGED[0], judged)]))

    for shown in ("0.95", "0.97", "0.0", "yes", "It is right."):
        assert shown in text


def test_many_problems_are_counted_rather_than_told() -> None:
    lines = told([f"problem {number}" for number in range(20)]).splitlines()

    assert len(lines) == 9
    assert lines[-1].strip() == "and 12 more"
