"""Steps that ask the gateway about itself, or ask it wrongly."""

from collections.abc import Mapping
from typing import Any

import httpx

from harness.suites.contract import (
    document_of,
    error_problems,
    header_problems,
    status_problems,
)
from harness.suites.step import Step, checked
from harness.suites.visit import Visit
from harness.verdict import Finding


class Get(Step, frozen=True, kw_only=True, tag="get"):
    """A path that anybody may read, and fields that its document must have."""

    path: str
    fields: Mapping[str, Any] = {}

    async def run(self, visit: Visit) -> list[Finding]:
        response = await visit.ask("GET", self.path)
        problems = [*status_problems(response, {httpx.codes.OK}), *header_problems(response)]
        document = document_of(response)
        problems += [
            f"{name} is {document.get(name)!r} instead of {value!r}"
            for name, value in self.fields.items()
            if document.get(name) != value
        ]
        return [checked(self.name, problems, f"GET {self.path} answers 200")]


class Models(Step, frozen=True, kw_only=True, tag="models"):
    """Every team is listed for a key that may ask it."""

    teams: tuple[str, ...]

    async def run(self, visit: Visit) -> list[Finding]:
        return [await self._listed(visit, team) for team in self.teams]

    async def _listed(self, visit: Visit, team: str) -> Finding:
        response = await visit.ask("GET", "/v1/models", team)
        problems = [*status_problems(response, {httpx.codes.OK}), *header_problems(response)]
        entries = document_of(response).get("data")
        listed = entries if isinstance(entries, list) else ()
        found = [one.get("id") for one in listed if isinstance(one, dict)]
        if not problems and team not in found:
            problems = [f"{team} is not among {', '.join(map(str, found))}"]
        return checked(f"{self.name}: {team}", problems, f"{len(found)} models, {team} among them")


class Refusal(Step, frozen=True, kw_only=True, tag="refusal"):
    """A request that must be refused, and how."""

    method: str = "POST"
    path: str
    body: dict[str, Any] | None = None
    team: str = ""
    """Whose key is sent; none where it is empty."""
    authorization: str | None = None
    """Sent instead of a key."""
    status: int
    code: str
    param: str | None = None

    async def run(self, visit: Visit) -> list[Finding]:
        headers = visit.stage.authorization(self.team) if self.team else {}
        if self.authorization is not None:
            headers = {"Authorization": self.authorization}
        response = await visit.gateway.request(
            self.method, self.path, headers=headers, json=self.body
        )
        problems = status_problems(response, {self.status})
        if not problems:
            problems = error_problems(response, (self.code,), self.param)
        return [checked(self.name, problems, f"{self.status} {self.code}")]
