"""What `shopsphere topology check` and `shopsphere topology schema` do; the command line only calls these."""

from __future__ import annotations

from pathlib import Path

from shopsphere.foundation.document_problem import Problem
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology.errors import TopologyError
from shopsphere.topology.loader import load_topology
from shopsphere.topology.model import Topology
from shopsphere.topology.overlay import PLACEHOLDER, NotFilledInError, overlays
from shopsphere.topology.power import site_budget
from shopsphere.topology.schema import SCHEMA_FILE, schema_text


def check(file: Path = TOPOLOGY_FILE) -> str:
    """Validate a topology and what differs in each environment, and return one line about each.

    Raises:
        TopologyError: what is wrong, in full.
    """
    lines = [_summary(file, load_topology(file))]
    for environment, overlay in overlays(file):
        try:
            lines.append(_summary(overlay, load_topology(file, environment=environment)))
        except NotFilledInError as error:
            lines.append(f"{overlay}: not filled in, {len(error.problems)} times {PLACEHOLDER}; {environment} needs it")
    return "\n".join(lines)


def _summary(file: Path, topology: Topology) -> str:
    watts = sum(site_budget(site, topology) for site in topology.sites.values())
    return (
        f"{file}: ok, {len(topology.sites)} sites in {len(topology.pairs)} pairs and {len(topology.jurisdictions)} "
        f"jurisdictions, {sum(site.racks for site in topology.sites.values())} racks, {watts / 1000:.1f} kW for pods"
    )


def schema(*, write: bool = False, file: Path = SCHEMA_FILE) -> str:
    """Return the JSON Schema; with `write`, also bring the committed copy up to date."""
    text = schema_text()
    if write:
        file.write_text(text, encoding="utf-8")
    return text


def check_schema(file: Path = SCHEMA_FILE) -> None:
    """Compare the committed JSON Schema with the model.

    Raises:
        TopologyError: it is missing or not current.
    """
    found = "no such file" if not file.exists() else "another text"
    if not file.exists() or file.read_text(encoding="utf-8") != schema_text():
        problem = Problem("", "the schema of the model", found)
        raise TopologyError(str(file), (problem,), "run `shopsphere topology schema --write`, and commit the file")
