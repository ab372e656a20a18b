"""What CloudWatch watches: each a metric, a limit, and what to do about it."""

from cdk.constructs.watched.backends import of_endpoint, of_load_balancer, of_nat, of_target_group
from cdk.constructs.watched.events import of_rules, of_spot, of_state_machine
from cdk.constructs.watched.gateway import (
    of_api,
    of_duration,
    of_firewall,
    of_function,
    of_keys,
    of_table,
)
from cdk.constructs.watched.metrics import Watched

__all__ = [
    "Watched",
    "of_api",
    "of_duration",
    "of_endpoint",
    "of_firewall",
    "of_function",
    "of_keys",
    "of_load_balancer",
    "of_nat",
    "of_rules",
    "of_spot",
    "of_state_machine",
    "of_table",
    "of_target_group",
]
