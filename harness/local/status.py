"""What runs, and is it ready?"""

from rich.console import Console
from rich.table import Table

from harness.local import gateway_client
from harness.local.state import StackState


async def report(state: StackState, console: Console) -> bool:
    """Prints it; True where every team can be answered."""
    async with gateway_client.client(state.gateway_url) as gateway:
        readiness = await gateway_client.readiness(gateway)
    console.print(f"gateway {state.gateway_url}, supervisor {state.supervisor.pid}")
    console.print(f"AWS stand-in {state.aws.endpoint_url}, logs {state.logs}", soft_wrap=True)
    engines = Table("engine", "address")
    for name, url in state.engines.items():
        engines.add_row(name, url)
    console.print(engines)
    teams = Table("team", "variant", "target", "state")
    for name, team in readiness.get("teams", {}).items():
        for variant, targets in team["variants"].items():
            for target, found in targets.items():
                teams.add_row(name, variant, target, found)
    console.print(teams)
    console.print(f"status: {readiness.get('status')}")
    return readiness.get("status") == "ready"
