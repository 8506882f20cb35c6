"""Adds a region to a checkout: everything is made and validated first, then written, all of it or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shopsphere.estate.new_region import NewRegion, NewRegionError, topology_with
from shopsphere.estate.new_region_stacks import stack_texts
from shopsphere.estate.stack_files import PLACEHOLDER
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.files import write_whole
from shopsphere.topology import Pair, Topology, diagram, load_topology, parse_topology
from shopsphere.topology.insertion import InsertionError, appended


@dataclass(frozen=True)
class Draft:
    """Files to write.

    Attributes:
        project: folder of the new pair's stacks.
        stacks: content of each file in it, by name.
        changed: new content of files that are there.
        by_hand: what is left for a person, one sentence each.
    """

    project: Path
    stacks: Mapping[str, str]
    changed: Mapping[Path, str]
    by_hand: tuple[str, ...]


def draft(region: NewRegion, root: Path) -> Draft:
    """Work out what a region adds to the checkout at `root`; nothing is written.

    Raises:
        NewRegionError: it cannot be added as it was asked for.
        TopologyError: topology.yaml would not be valid with it, or is not now.
        InsertionError: topology.yaml is written in a form that nothing can be added to.
    """
    file, project = root / "topology.yaml", root / "stacks" / region.name
    before = load_topology(file)
    text = topology_with(region, before, file.read_text(encoding="utf-8"), file.name)
    after = parse_topology(text, f"{file.name} with {region.name}")
    _require_unchanged(before, after, region)
    if project.exists():
        raise NewRegionError.build(
            f"{project}: there is such a folder",
            expected=f"no stacks of {region.name} yet",
            found="a folder",
            action="remove it if an earlier try left it; otherwise choose another name",
        )
    pair, source = after.pair(region.name), list(before.pairs.values())[-1]
    changed, by_hand = _edge_file(root / "Pulumi.prod.yaml", pair, after)
    overlay, more = _overlay_file(
        root / "topology.prod.yaml", pair, is_new=region.jurisdiction not in before.jurisdictions
    )
    picture = {root / "docs" / diagram.PICTURE.name: diagram.draw(after)}
    return Draft(
        project=project,
        stacks=stack_texts(after, source, pair, root / "stacks" / source.name),
        changed={**picture, **changed, **overlay, file: text},
        by_hand=(*_to_check(pair, after), *by_hand, *more),
    )


def write(wanted: Draft) -> None:
    """Write a draft: the stacks first and topology.yaml last, so that no stack is missing to whoever reads that.

    Whatever fails, the checkout is then as it was before.
    """
    before = {file: file.read_text(encoding="utf-8") for file in wanted.changed}
    try:
        wanted.project.mkdir()
        for name, text in wanted.stacks.items():
            write_whole(wanted.project / name, text)
        for file, text in wanted.changed.items():
            write_whole(file, text)
    except BaseException:
        shutil.rmtree(wanted.project, ignore_errors=True)
        for file, text in before.items():
            write_whole(file, text)
        raise


def _require_unchanged(before: Topology, after: Topology, region: NewRegion) -> None:
    """Refuse a text that means something else for what was there: it was not in the form that we add to."""
    same = (
        all(after.pairs.get(name) == pair for name, pair in before.pairs.items())
        and all(after.sites.get(name) == site for name, site in before.sites.items())
        and all(after.currencies.get(code) == currency for code, currency in before.currencies.items())
        and set(before.wan.rtt_ms) < set(after.wan.rtt_ms)
        and all(
            after.jurisdictions.get(name) == old or name == region.jurisdiction
            for name, old in before.jurisdictions.items()
        )
    )
    if not same:
        raise NewRegionError.build(
            f"{region.name}: topology.yaml is written in a form that this command cannot add to",
            expected="jurisdictions, currencies, pairs, sites and wan.rtt_ms in block style, in any order",
            found="a text in which an addition changes what was there",
            action="add the region by hand",
        )


def _edge_file(file: Path, pair: Pair, topology: Topology) -> tuple[dict[Path, str], list[str]]:
    """Add the new pair's places to production's edge; a file that has no such keys gets none."""
    if not file.exists():
        return {}, []
    text, left = file.read_text(encoding="utf-8"), []
    voters = ", ".join([PLACEHOLDER] * len(seats(pair, topology)))
    additions = {
        "status:witness": [f"    {pair.name}: [{voters}]"],
    }
    for key, lines in additions.items():
        try:
            text = appended(text, key, lines, file=file.name, indent=2)
            left.append(f"{file.name}: fill in {pair.name}'s entries under {key}.")
        except InsertionError:
            left.append(f"{file.name}: add {pair.name} under {key}, if you use that key.")
    return {file: text}, left


def _overlay_file(file: Path, pair: Pair, *, is_new: bool) -> tuple[dict[Path, str], list[str]]:
    """Add the new sites' addresses, and customers of a new jurisdiction, to production's topology, if it is there."""
    if not file.exists():
        return {}, []
    text = file.read_text(encoding="utf-8")
    both = f"{{address: {PLACEHOLDER}, public_address: {PLACEHOLDER}}}"
    customers = f"  {pair.jurisdiction}: {{client_networks: [{PLACEHOLDER}]}}"
    try:
        if is_new:
            text = appended(text, "jurisdictions", [customers], file=file.name)
        text = appended(text, "sites", [f"  {site}: {both}" for site in pair.sites], file=file.name)
        return {file: text}, [f"{file.name}: fill in what was added for {' and '.join(pair.sites)}."]
    except InsertionError:
        return {}, [f"{file.name}: add what differs in production for {' and '.join(pair.sites)}."]


def _to_check(pair: Pair, topology: Topology) -> list[str]:
    jurisdiction = topology.jurisdictions[pair.jurisdiction]
    networks = ", ".join(map(str, jurisdiction.client_networks))
    ways = [f"{site} {topology.site(site).address}" for site in pair.sites]
    left = [
        f"topology.yaml: have the legal basis of {pair.jurisdiction} confirmed by the data protection officer.",
        f"topology.yaml: check the addresses ({', '.join(ways)}), networks, racks and kW; they were chosen to be free.",
        f"topology.yaml: client networks of {pair.jurisdiction} are {networks}; put those of its customers there.",
        f"topology.yaml: check {pair.name}'s shipping; it was converted from that of the first region.",
        f"topology.yaml: add round trips to other sites; those not listed count {topology.wan.default_rtt_ms:g} ms.",
        f"stacks/{pair.name}: fill in Pulumi.prod-*.yaml for your own clusters.",
    ]
    neighbours = [each.name for each in topology.pairs.values() if each.jurisdiction == pair.jurisdiction]
    if neighbours[0] != pair.name:
        left.append(f"Customers of {pair.jurisdiction} are led to {neighbours[0]}, its first pair, not to {pair.name}.")
    return left
