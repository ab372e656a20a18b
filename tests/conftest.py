"""Settings that all tests share, and the session's stand-in for AWS."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import local_aws
from tests.support.local_aws import LocalAws

# The same examples in every run, and no folder of past ones.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with local_aws.running() as running:
        yield running
