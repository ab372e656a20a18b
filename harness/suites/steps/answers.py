"""Steps that ask a team's model."""

from typing import Any

import httpx

from harness.report.wording import number
from harness.suites.contract import answer_problems, document_of, text_of
from harness.suites.step import Step, checked
from harness.suites.visit import Visit
from harness.verdict import Finding


class Answer(Step, frozen=True, kw_only=True, tag="answer"):
    """One question to each team, through both contracts."""

    teams: tuple[str, ...]
    prompt: str
    max_tokens: int = 32

    async def run(self, visit: Visit) -> list[Finding]:
        return [
            finding
            for team in self.teams
            for finding in (await self._predict(visit, team), await self._chat(visit, team))
        ]

    async def _predict(self, visit: Visit, team: str) -> Finding:
        body = {"prompt": self.prompt, "max_tokens": self.max_tokens, "temperature": 0}
        response = await visit.ask("POST", f"/api/{team}/predict", team, body)
        problems = answer_problems(response)
        document = document_of(response)
        for field, header in (("team", "Team"), ("variant", "Variant"), ("target", "Target")):
            said = response.headers.get(f"X-Route-{header}")
            if not problems and document.get(field) != said:
                problems = [f"{field} is {document.get(field)!r}, X-Route-{header} {said!r}"]
        return checked(f"{self.name}: predict {team}", problems, _well(response))

    async def _chat(self, visit: Visit, team: str) -> Finding:
        body = chat_body(team, self.prompt, self.max_tokens)
        response = await visit.ask("POST", "/v1/chat/completions", team, body)
        return checked(f"{self.name}: chat {team}", answer_problems(response), _well(response))


class Differ(Step, frozen=True, kw_only=True, tag="differ"):
    """Variants that are pinned and asked the same must not all say the same."""

    team: str
    variants: tuple[str, ...]
    prompts: tuple[str, ...]
    max_tokens: int = 32

    async def run(self, visit: Visit) -> list[Finding]:
        said: dict[str, list[str]] = {variant: [] for variant in self.variants}
        for variant in self.variants:
            for prompt in self.prompts:
                body = chat_body(f"{self.team}/{variant}", prompt, self.max_tokens)
                response = await visit.ask("POST", "/v1/chat/completions", self.team, body)
                problems = answer_problems(response)
                got = response.headers.get("X-Route-Variant")
                if not problems and got != variant:
                    problems = [f"pinned to {variant}, answered by {got}"]
                if problems:
                    return [checked(self.name, problems, "")]
                said[variant].append(text_of(document_of(response)))
        alike = len(set(map(tuple, said.values()))) < len(said)
        problems = ["two variants answer every prompt alike"] if alike else []
        first = ", ".join(f"{name}: {texts[0]!r}" for name, texts in said.items())
        return [checked(self.name, problems, f"they answer differently ({first})")]


def chat_body(model: str, prompt: str, max_tokens: int, **extra: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": 0,
        **extra,
    }


def _latency(response: httpx.Response) -> str:
    said = response.headers.get("X-Latency-Ms", "")
    try:
        return number(float(said))
    except ValueError:
        return said or "unknown"


def _well(response: httpx.Response) -> str:
    document = document_of(response)
    usage = document.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return (
        f"{text_of(document)!r} by {response.headers.get('X-Route-Target')}, {tokens} tokens, "
        f"{_latency(response)} ms"
    )
