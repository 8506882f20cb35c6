"""What every ring of tests has."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from production_topology import fill_in_production

# Pulumi's programs tell their ports on pipes that they do not flush. What is deployed by us sets it by itself
# (shopsphere/deploy/environment.py); tests that call Pulumi by themselves need it on every machine.
os.environ["PYTHONUNBUFFERED"] = "1"


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the garbage collector need not look through it again and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def filled_in_production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Production's addresses, which the repository leaves to its owner."""
    with pytest.MonkeyPatch.context() as patch:
        fill_in_production(tmp_path_factory.mktemp("production"), patch)
        yield


@pytest.fixture(autouse=True)
def no_left_over_configuration() -> Iterator[None]:
    """Pulumi's configuration is one for the whole process: what a test has set, the next does not find."""
    yield
    if runtime := sys.modules.get("pulumi.runtime"):  # a ring that never loads Pulumi does not pay for it
        runtime.set_all_config({}, [])
