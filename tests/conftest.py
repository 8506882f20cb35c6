"""What all rings have in common: the order in which they run, and how several processes share them."""

from __future__ import annotations

from typing import Any

import pytest
from rings_at_once import RingsAtOnce, turn_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RingsAtOnce:
    return RingsAtOnce(config, log)
