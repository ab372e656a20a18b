"""Asking a team's model: the heart of the gateway, without a framework around it.

    question → weights in force → variant → targets → answer

An adapter (Chalice today) makes a `Question` of its request and writes the answer in its own way.
One that streams uses `plan` and `dispatch` with a function that returns at the first event.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from chalicelib import routing
from chalicelib.answers import Answer, read_answer
from chalicelib.backends import Backend, Call
from chalicelib.breaker import Breaker
from chalicelib.config import Team
from chalicelib.deadline import Deadline
from chalicelib.dispatch import Candidate, candidates, dispatch
from chalicelib.errors import UpstreamFailure
from chalicelib.exchange import Exchange
from chalicelib.splits import RoutingStore
from chalicelib.telemetry import Telemetry
from chalicelib.telemetry.spans import trace_headers

CHAT: Final = "/v1/chat/completions"
COMPLETIONS: Final = "/v1/completions"
_OPERATIONS: Final = {CHAT: "chat", COMPLETIONS: "text_completion"}
_PROVIDERS: Final = {"vllm": "vllm", "sagemaker": "aws.sagemaker"}
_LAMBDA_MARGIN_S: Final = 0.5
"""Time kept for the response when the platform's own limit is the nearer one."""


class Question(NamedTuple):
    """What is asked of a team."""

    team: Team
    path: str
    """`CHAT` or `COMPLETIONS`."""
    body: Mapping[str, Any]
    """An OpenAI request, checked, without the model's name."""
    unit: str
    """What sticks to a variant: a session, a user or this request."""
    pin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Routes questions to targets."""

    routing_store: RoutingStore
    breaker: Breaker
    backends: Mapping[str, Backend]
    telemetry: Telemetry

    def ask(self, question: Question, exchange: Exchange) -> Answer:
        """The answer of the team's model; where it was routed is on the exchange.

        Raises:
            GatewayError: as `dispatch`, or `unknown_variant`.
        """
        team = question.team
        deadline = _deadline(team, exchange)
        options = self.plan(question, exchange)

        def ask(candidate: Candidate, patience: Deadline) -> Answer:
            exchange.route.variant = candidate.variant.name
            exchange.route.target = candidate.target.name
            return self._call(question, candidate, patience)

        dispatched = dispatch(team, options, ask, targets=self.breaker, deadline=deadline)
        exchange.route.fallback = dispatched.fallback
        exchange.usage = dispatched.answer.usage.to_dict()
        return dispatched.answer

    def plan(self, question: Question, exchange: Exchange) -> list[Candidate]:
        """Choose the variant for the question's unit, and list where it can be asked.

        Raises:
            GatewayError: `unknown_variant`.
        """
        team = question.team
        weights = self.routing_store.current().split(team).weights
        route = exchange.route
        route.team = team.name
        route.version = routing.version(team, weights)
        choice = routing.choose(team, weights, question.unit, pin=question.pin)
        route.variant, route.reason = choice.variant.name, choice.reason
        options = candidates(team, choice.variant)
        if choice.reason == "pinned":
            options = [option for option in options if option.variant is choice.variant]
        return options

    def _call(self, question: Question, candidate: Candidate, deadline: Deadline) -> Answer:
        target, model = candidate.target, candidate.variant.model
        operation = _OPERATIONS[question.path]
        attributes = {
            "gen_ai.provider.name": _PROVIDERS.get(target.backend, target.backend),
            "lab.team": question.team.name,
            "lab.variant": candidate.variant.name,
            "lab.target": target.name,
        }
        with self.telemetry.model_call(operation, model, attributes) as span:
            call = Call(
                path=question.path,
                body=json.dumps({**question.body, "model": model}).encode(),
                headers=trace_headers(),
            )
            try:
                reply = self.backends[target.backend].send(target.place, call, deadline)
                answer = read_answer(reply, model=model)
            except UpstreamFailure as failure:
                span.fail(failure.reason)
                raise
            span.set_attributes(
                {
                    "gen_ai.response.model": answer.model,
                    "gen_ai.response.finish_reasons": (answer.finish_reason,),
                    "gen_ai.usage.input_tokens": answer.usage.prompt_tokens,
                    "gen_ai.usage.output_tokens": answer.usage.completion_tokens,
                }
            )
            return answer


def _deadline(team: Team, exchange: Exchange) -> Deadline:
    deadline = Deadline.after(team.timeout_s)
    if exchange.time_left_s is None:
        return deadline
    return deadline.within(max(0.0, exchange.time_left_s - _LAMBDA_MARGIN_S))
