"""Watts: exact at the limits, rounded so that no watt is granted that does not exist."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import PowerModel, Topology, load_topology, parse_topology
from shopsphere.topology.power import (
    base_load,
    headroom,
    is_near_limit,
    pod_watts,
    rack_budget,
    site_budget,
    site_limit,
)
from shopsphere.topology.quantities import QuantityError, cores, gibibytes, parse_quantity

TOPOLOGY = load_topology()
MODEL = TOPOLOGY.power_model
FRANKFURT = TOPOLOGY.site("frankfurt")


def topology_with(racks: int = 8, kilowatts: float = 150, **power_model: float) -> Topology:
    document = yaml.safe_load(TOPOLOGY_FILE.read_text())
    document["sites"]["frankfurt"] |= {"racks": racks, "kilowatts": kilowatts}
    document["power_model"] |= power_model
    return parse_topology(yaml.safe_dump(document))


@pytest.mark.parametrize(
    ("cpu", "memory", "watts"),
    [(0, 0, 0), (1, 0, 12), (0, 2, 3), (0.1, 0, 2), (0.25, 0, 3), (0.25, 0.5, 4), (1, 1, 14), (Decimal("0.5"), 4, 12)],
)
def test_pod_watts(cpu: float | Decimal, memory: float, watts: int) -> None:
    assert pod_watts(MODEL, cpu, memory) == watts


def test_pod_watts_is_exact_where_binary_arithmetic_is_not() -> None:
    model = PowerModel(watts_per_core=0.1, watts_per_gib=0.2, watts_per_node=0, nodes_per_rack=1, warn_at_percent=80)
    assert 10 * 0.1 + 10 * 0.2 == 3.0
    assert 0.1 * 3 > 0.3
    assert pod_watts(model, 30, 0) == 3


@pytest.mark.parametrize(("cpu", "memory"), [(-1, 0), (0, -0.5)])
def test_requests_below_zero_are_refused(cpu: int, memory: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        pod_watts(MODEL, cpu, memory)


quantities = st.decimals(min_value=0, max_value=1000, places=3)


@given(quantities, quantities, quantities)
def test_more_requests_never_draw_less(cpu: Decimal, memory: Decimal, more: Decimal) -> None:
    assert pod_watts(MODEL, cpu + more, memory) >= pod_watts(MODEL, cpu, memory)
    assert pod_watts(MODEL, cpu, memory + more) >= pod_watts(MODEL, cpu, memory)


@given(quantities, quantities)
def test_rounding_is_up_and_by_less_than_a_watt(cpu: Decimal, memory: Decimal) -> None:
    exact = cpu * 12 + memory * Decimal("1.5")
    assert exact <= pod_watts(MODEL, cpu, memory) < exact + 1


@given(st.lists(st.tuples(quantities, quantities), max_size=20))
def test_pods_together_are_never_charged_less_than_they_draw(pods: list[tuple[Decimal, Decimal]]) -> None:
    total = sum(pod_watts(MODEL, cpu, memory) for cpu, memory in pods)
    assert total >= sum(cpu * 12 + memory * Decimal("1.5") for cpu, memory in pods)


@pytest.mark.parametrize(("kilowatts", "watts"), [(149.9, 149_900), (150, 150_000), (150.0009, 150_000), (30, 30_000)])
def test_site_watts_lose_no_digit(kilowatts: float, watts: int) -> None:
    assert FRANKFURT.model_copy(update={"kilowatts": kilowatts}).watts == watts


def test_limit_holds_even_for_a_site_that_claims_more() -> None:
    claims_more = FRANKFURT.model_copy(update={"kilowatts": 150.1})
    assert site_limit(claims_more, TOPOLOGY) == 150_000


@pytest.mark.parametrize(("racks", "base"), [(7, 840), (8, 960)])
def test_idle_nodes_are_paid_for_before_pods(racks: int, base: int) -> None:
    topology = topology_with(racks=racks)
    site = topology.site("frankfurt")
    assert base_load(site, topology) == base
    assert site_budget(site, topology) == 150_000 - base


@pytest.mark.parametrize(
    ("pods_watts", "left"), [(149_900 - 960, 100), (150_000 - 960, 0), (150_001 - 960, -1), (150_100 - 960, -100)]
)
def test_headroom_at_the_limit(pods_watts: int, left: int) -> None:
    assert headroom(FRANKFURT, TOPOLOGY, pods_watts) == left


def test_racks_share_the_budget_without_exceeding_it() -> None:
    assert rack_budget(FRANKFURT, TOPOLOGY) == 18_630
    assert rack_budget(FRANKFURT, TOPOLOGY) * FRANKFURT.racks <= site_budget(FRANKFURT, TOPOLOGY)


def test_nodes_that_draw_more_than_the_site_has_leave_nothing() -> None:
    topology = topology_with(kilowatts=0.5)
    assert site_budget(topology.site("frankfurt"), topology) == 0


@pytest.mark.parametrize(("pods", "near"), [(119_039, False), (119_040, True)])
def test_warning_from_eighty_percent(pods: int, near: bool) -> None:
    assert is_near_limit(FRANKFURT, TOPOLOGY, pods) is near


@pytest.mark.parametrize(
    ("text", "value"), [("250m", "0.25"), ("1", "1"), (2, "2"), (0.5, "0.5"), ("1.5k", "1500"), ("2Ki", "2048")]
)
def test_quantities_are_exact(text: str | float, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


def test_units() -> None:
    assert cores("100m") == Decimal("0.1")
    assert gibibytes("512Mi") == Decimal("0.5")
    assert gibibytes("1Gi") == 1


@pytest.mark.parametrize("text", ["", "-1", "1Zi", "one", "1 Gi", "1e3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(QuantityError, match="expected:"):
        parse_quantity(text)
