"""Make a key without a key: the first admin of a stage.

    python bootstrap_key.py --name NAME [--team TEAM ...] [--scope SCOPE ...]

Needs what the Lambda has in its environment: names of tables and pepper, AWS credentials. Prints
the key and nothing else on standard output; it is shown once.
"""

import argparse
import sys

from chalicelib.auth import EVERY_TEAM, SCOPES
from chalicelib.errors import ConfigError, GatewayError, StoreUnavailable
from chalicelib.gateway import Gateway
from chalicelib.keys import Author


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the first key of a stage.")
    parser.add_argument("--name", required=True, help="who holds it, for the audit trail")
    parser.add_argument("--team", action="append", help=f"default: {EVERY_TEAM} (every team)")
    parser.add_argument("--scope", action="append", choices=SCOPES, help="default: admin")
    arguments = parser.parse_args()
    try:
        _, key = Gateway().keys.create(
            name=arguments.name,
            teams=arguments.team or [EVERY_TEAM],
            scopes=arguments.scope or ["admin"],
            expires_at=None,
            by=Author(key_id="bootstrap", correlation_id="bootstrap"),
        )
    except (ConfigError, GatewayError, StoreUnavailable) as error:
        print(f"bootstrap_key: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(key)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
