"""What every step is given: whom to ask, with what, and where to put what it makes."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from harness.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    stage: Stage
    gateway: httpx.AsyncClient
    """Asks the stage's gateway; keys are given with each request."""
    folder: Path
    """Of this visit: the suite's report, and the runs that its steps make."""
    promptset: str
    """What quality is measured with."""
    kubectl: str = ""
    """Namespace whose pods may be counted; empty: nobody said so."""

    async def ask(
        self, method: str, path: str, team: str = "", body: object = None
    ) -> httpx.Response:
        """Without a team no key is sent."""
        headers = self.stage.authorization(team) if team else {}
        if body is None:
            return await self.gateway.request(method, path, headers=headers)
        return await self.gateway.request(method, path, headers=headers, json=body)
