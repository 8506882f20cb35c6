"""What a lab left on a machine changes no verdict of another ring, and no page."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from stated_lab import StatedLab

from lab.cluster.nodes import further_nodes
from policies.catalogue import DOCS, pages
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import load_topology, loader, overlay


@pytest.fixture
def lab_of_two_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that `shopsphere lab up --nodes 2` leaves on a machine."""
    left = tmp_path / "topology.lab.yaml"
    nodes = further_nodes(load_topology(), 2)
    left.write_text(yaml.safe_dump({"sites": {site: {"further_nodes": found} for site, found in nodes.items()}}))
    real = overlay.overlay_file
    monkeypatch.setattr(overlay, "overlay_file", lambda *of: left if of == (TOPOLOGY_FILE, "lab") else real(*of))
    return left


def nodes_of_frankfurt() -> int:
    return len(load_topology(environment="lab").site("frankfurt").nodes)


@pytest.mark.requirement("tests judge what the repository states, whatever a lab left on the machine")
def test_a_lab_of_two_nodes_is_not_read_here(lab_of_two_nodes: Path) -> None:
    assert nodes_of_frankfurt() == 1


def test_the_lab_ring_reads_it(lab_of_two_nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = StatedLab(overlay.read_overlay)
    monkeypatch.setattr(loader, "read_overlay", plugin.read)
    found = {}
    for turn in ("tests/lab/test_shop.py::test_it", "tests/model/test_it.py", "tests/lab/test_shop.py", "tests/lab"):
        plugin.turn_to(turn)
        found[turn] = nodes_of_frankfurt()
    assert [*found.values()] == [2, 1, 2, 1]


def test_another_topology_has_its_own_differences(tmp_path: Path) -> None:
    own = tmp_path / "topology.yaml"
    own.write_text(TOPOLOGY_FILE.read_text())
    overlay.overlay_file(own, "lab").write_text("domain: other.example\n")
    assert load_topology(own, environment="lab").domain == "other.example"


@pytest.mark.requirement("the pages made from the rules are the same on every machine")
def test_the_pages_do_not_show_what_a_lab_left(lab_of_two_nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "read_overlay", overlay.read_overlay)
    assert nodes_of_frankfurt() == 2
    assert pages()["admission-example.yaml"] == (DOCS / "admission-example.yaml").read_text()
