"""A step that reads the engines' own metrics, where they can be reached."""

import httpx

from harness.stage import Stage
from harness.suites.step import NotAskedError, Step, checked
from harness.suites.visit import Visit
from harness.verdict import Finding

_TIMEOUT_S = 10.0


class Metrics(Step, frozen=True, kw_only=True, tag="metrics"):
    """Names that every engine must export."""

    names: tuple[str, ...]

    async def run(self, visit: Visit) -> list[Finding]:
        if not visit.stage.engines:
            raise NotAskedError("the engines' addresses are not known from outside of the cluster")
        async with engine_client(visit.stage) as client:
            return [
                checked(
                    f"{self.name}: {engine}",
                    await self._problems(client, url),
                    f"{len(self.names)} metrics are there",
                )
                for engine, url in visit.stage.engines.items()
            ]

    async def _problems(self, client: httpx.AsyncClient, url: str) -> list[str]:
        try:
            found = await read(client, url)
        except httpx.HTTPError as error:
            return [f"/metrics can't be read: {error!r}"]
        return [f"no {name}" for name in self.names if name not in found]


def engine_client(stage: Stage) -> httpx.AsyncClient:
    key = stage.engine_api_key
    return httpx.AsyncClient(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=_TIMEOUT_S,
        trust_env=False,
    )


async def read(client: httpx.AsyncClient, engine_url: str) -> dict[str, float]:
    """An engine's metrics by name, summed over their labels. Raises httpx.HTTPError."""
    response = (await client.get(f"{engine_url}/metrics")).raise_for_status()
    return parsed(response.text)


def parsed(text: str) -> dict[str, float]:
    """Prometheus' text format. What is no sample is left out."""
    totals: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            labelled, _, value = line.rpartition(" ")
            name = labelled.partition("{")[0].strip()
            try:
                totals[name] = totals.get(name, 0.0) + float(value)
            except ValueError:
                continue
    return totals
