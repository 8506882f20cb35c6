"""Production is not deployed to before it has what a failover needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from shopsphere.deploy import filling_in
from shopsphere.deploy.filling_in import UnfilledError, require_filled_in
from shopsphere.estate import stack_files
from shopsphere.estate.access import AccessError, WitnessAccess
from shopsphere.estate.stack import Environment, StackId, edge_stack, site_stack
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()


def know(monkeypatch: pytest.MonkeyPatch, keys: str = "~/witness", way: str = "https", **voters: int) -> None:
    """Name so many voters of each pair, and fill in all stack files."""
    urls = {
        pair.replace("_", "-"): tuple(f"{way}://10.0.0.{at}:2379" for at in range(count))
        for pair, count in voters.items()
    }
    access = WitnessAccess.model_construct(witness=urls, witness_keys=keys)
    monkeypatch.setattr(filling_in, "witness_access", lambda _environment: access)
    monkeypatch.setattr(stack_files, "left_to_fill_in", lambda _stack, **_: "")


def stacks(environment: Environment = Environment.PROD) -> list[StackId]:
    return [site_stack(TOPOLOGY, site, environment) for site in ("dublin", "frankfurt")]


@pytest.mark.requirement("no site of production is deployed to before its witness is named")
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_pair_without_a_witness_is_refused(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, rdc_a=count, rdc_b=3)
    with pytest.raises(UnfilledError, match=f"status:witness.rdc-a names {count} voters, not 3 or more"):
        require_filled_in(stacks())


def test_three_voters_are_enough_and_the_lab_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, rdc_a=3)
    require_filled_in(stacks())
    know(monkeypatch)
    require_filled_in(stacks(Environment.LAB))
    require_filled_in([edge_stack(Environment.PROD), site_stack(TOPOLOGY, "newyork", Environment.PROD)])


@pytest.mark.requirement("no site of production is deployed to whose witness believes anybody")
def test_a_witness_in_clear_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, way="http", rdc_a=3)
    with pytest.raises(UnfilledError, match=r"status:witness\.rdc-a names http://10\.0\.0\.2:2379, not https://"):
        require_filled_in(stacks())
    know(monkeypatch, keys="", rdc_a=3)
    with pytest.raises(UnfilledError, match="status:witnessKeys names no folder"):
        require_filled_in(stacks())


def test_a_witness_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)

    def unreadable(_environment: Environment) -> None:
        raise AccessError("Pulumi.prod.yaml: cannot be used to reach anything")

    monkeypatch.setattr(filling_in, "witness_access", unreadable)
    with pytest.raises(UnfilledError, match="cannot be used to reach anything"):
        require_filled_in(stacks())


def test_the_example_names_none() -> None:
    with pytest.raises(UnfilledError) as caught:
        require_filled_in(stacks())
    assert "status:witness.rdc-a names 0 voters" in str(caught.value)
    assert Path(stack_files.project_file(stacks()[0])).exists()
