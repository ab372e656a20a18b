"""What a fake engine served, in vLLM 0.32's names, labels and buckets."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from chalicelib.backends.fake.engine import FakeAnswer
from chalicelib.backends.fake.pacing import now

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
_REASONS: Final = ("stop", "length", "abort", "error", "repetition")
_FIRST_TOKEN: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
_BETWEEN_TOKENS: Final = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0),
)
_WHOLE_REQUEST: Final = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0),
    *(120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)


class Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum += seconds * times

    def lines(self, name: str, labels: str) -> Iterator[str]:
        bounds = [*map(str, self._bounds), "+Inf"]
        for bound, total in zip(bounds, accumulate(self._counts), strict=True):
            yield f'{name}_bucket{{engine="0",le="{bound}",{labels}}} {total:.1f}'
        yield f'{name}_count{{engine="0",{labels}}} {sum(self._counts):.1f}'
        yield f'{name}_sum{{engine="0",{labels}}} {self._sum}'


class Metrics:
    """Counts of one engine; times in seconds, measured where the answer was streamed."""

    def __init__(self) -> None:
        self.running = 0
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished = dict.fromkeys(_REASONS, 0)
        self.first_token = Histogram(_FIRST_TOKEN)
        self.between_tokens = Histogram(_BETWEEN_TOKENS)
        self.whole_request = Histogram(_WHOLE_REQUEST)

    def text(self, model_name: str) -> str:
        """The exposition, every label set from the start."""
        quoted = model_name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        return "\n".join([*self._lines(f'model_name="{quoted}"'), ""])

    def _lines(self, labels: str) -> Iterator[str]:
        engine = f'{{engine="0",{labels}}}'
        plain: list[tuple[str, str, float]] = [
            ("num_requests_running", "gauge", self.running),
            ("num_requests_waiting", "gauge", 0),  # nothing queues in a fake engine
            ("kv_cache_usage_perc", "gauge", 0),
            ("prompt_tokens_total", "counter", self.prompt_tokens),
            ("generation_tokens_total", "counter", self.generation_tokens),
        ]
        for name, kind, value in plain:
            yield f"# TYPE vllm:{name} {kind}"
            yield f"vllm:{name}{engine} {float(value)}"
        yield "# TYPE vllm:request_success_total counter"
        for reason, total in self.finished.items():
            reason_labels = f'{{engine="0",finished_reason="{reason}",{labels}}}'
            yield f"vllm:request_success_total{reason_labels} {total:.1f}"
        histograms = {
            "time_to_first_token_seconds": self.first_token,
            "inter_token_latency_seconds": self.between_tokens,
            "e2e_request_latency_seconds": self.whole_request,
        }
        for name, histogram in histograms.items():
            yield f"# TYPE vllm:{name} histogram"
            yield from histogram.lines(f"vllm:{name}", labels)


class Meter:
    """Counts one request into `Metrics` while it is answered.

    Times of an answer that is not streamed are those of its token timeline, which it waits for.
    """

    def __init__(self, metrics: Metrics, answer: FakeAnswer, arrived: float) -> None:
        self._metrics = metrics
        self._completion = answer.completion
        self._arrived = arrived
        self._previous = arrived
        self._running = answer.completion is not None
        metrics.running += self._running

    def step(self, number: int) -> None:
        """Token `number` of every generation has been sent."""
        if self._completion is None:
            return
        at = now()
        seconds = at - self._previous
        self._previous = at
        if number == 0:
            self._first(seconds)
        else:
            self._metrics.between_tokens.observe(seconds)
        self._metrics.generation_tokens += self._completion.width(number)

    def whole(self, first_s: float, gap_s: float) -> None:
        """All tokens have been sent at once."""
        if self._completion is None:
            return
        self._first(first_s)
        self._metrics.between_tokens.observe(gap_s, self._completion.steps - 1)
        self._metrics.generation_tokens += self._completion.completion_tokens

    def finish(self) -> None:
        if self._completion is not None:
            self._end([generation.finish_reason for generation in self._completion.generations])

    def abort(self) -> None:
        """The connection ended first."""
        if self._completion is not None:
            self._end(["abort"])

    def _first(self, seconds: float) -> None:
        self._metrics.first_token.observe(seconds)
        if self._completion is not None:
            self._metrics.prompt_tokens += self._completion.prompt_tokens

    def _end(self, reasons: Sequence[str]) -> None:
        self._metrics.running -= 1
        for reason in reasons:
            self._metrics.finished[reason] += 1
            self._metrics.whole_request.observe(now() - self._arrived)
