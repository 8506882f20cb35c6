"""What the tests of this ring have in common."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from cli import common

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")


@pytest.fixture(scope="session", autouse=True)
def network_of_the_lab() -> Iterator[None]:
    """Whatever runs on this machine, verbs go on to what a test has put in the lab's place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "lab_is_here", lambda: True)
        yield
