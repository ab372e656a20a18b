"""What the parts see of the caller's environment: little, so a stack is the same everywhere."""

import os
from collections.abc import Mapping
from typing import Final

from harness.local.state import AwsAccess

_KEPT: Final = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"),
        "LD_LIBRARY_PATH",
        # Where the gateway sends its spans, and how much it logs.
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "LOG_LEVEL"),
    }
)


def base(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Neither AWS_* nor PYTHON* of the caller, and no proxy: all traffic stays on the loopback."""
    return {name: value for name, value in environment.items() if name in _KEPT}


def aws(access: AwsAccess) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": access.endpoint_url,
        "AWS_REGION": access.region,
        "AWS_DEFAULT_REGION": access.region,
        "AWS_ACCESS_KEY_ID": access.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
