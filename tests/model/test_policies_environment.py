"""Each stack is judged by the topology of its own environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_cases import kubernetes as k8s
from policy_cases.declared import Declared
from policy_cases.judging import RULES, verdict

from policies import residency_map
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import Topology, load_topology

PROD = """\
sites:
  frankfurt: {address: 10.99.0.111, kilowatts: 100}
  dublin: {address: 10.99.0.112}
"""


@pytest.fixture
def prod_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A topology whose production has other addresses, and less power at one site."""
    file = tmp_path / TOPOLOGY_FILE.name
    file.write_text(TOPOLOGY_FILE.read_text())
    (tmp_path / "topology.prod.yaml").write_text(PROD)

    def load(*, environment: str) -> Topology:
        return load_topology(file, environment=environment)

    monkeypatch.setattr(residency_map, "load_topology", load)
    residency_map.topology.cache_clear()
    yield
    residency_map.topology.cache_clear()


def database(*, frankfurt: str, dublin: str) -> Declared:
    """A database that reaches its members at these addresses."""
    outside = [k8s.external("frankfurt", frankfurt), k8s.external("dublin", dublin)]
    return k8s.DATABASE.but("spec", "externalClusters", outside)


HERE = database(frankfurt="10.99.0.11", dublin="10.99.0.12")
THERE = database(frankfurt="10.99.0.111", dublin="10.99.0.112")


@pytest.mark.usefixtures("prod_differs")
@pytest.mark.parametrize(
    ("declared", "stack", "is_allowed"),
    [
        (HERE, "lab-frankfurt", True),
        (THERE, "lab-frankfurt", False),
        (HERE, "prod-frankfurt", False),
        (THERE, "prod-frankfurt", True),
        (HERE, "dev", True),
        (THERE, "dev", False),
    ],
)
def test_addresses_are_those_of_the_stack_s_environment(declared: Declared, stack: str, *, is_allowed: bool) -> None:
    assert (verdict(RULES["RES-010"], declared.in_stack(stack)) == []) is is_allowed


@pytest.mark.usefixtures("prod_differs")
@pytest.mark.parametrize(("stack", "is_allowed"), [("lab-frankfurt", True), ("prod-frankfurt", False)])
def test_power_is_that_of_the_stack_s_environment(stack: str, *, is_allowed: bool) -> None:
    quota = k8s.QUOTA.but("spec", "hard", {"requests.shopsphere.io/watts": "120000"}).in_stack(stack)
    namespace = k8s.NAMESPACE.in_stack(stack)
    assert (verdict(RULES["LIM-005"], quota) == []) is is_allowed
    assert (verdict(RULES["LIM-004"], [namespace, quota]) == []) is is_allowed
