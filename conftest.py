"""What every ring of tests has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from production_topology import fill_in_production


@pytest.fixture(scope="session", autouse=True)
def filled_in_production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Production's addresses, which the repository leaves to its owner."""
    with pytest.MonkeyPatch.context() as patch:
        fill_in_production(tmp_path_factory.mktemp("production"), patch)
        yield
