"""Adds a region to a checkout: everything is made and validated first, then written, all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shopsphere.estate.new_region import NewRegion, NewRegionError, topology_with
from shopsphere.estate.new_region_stacks import stack_texts
from shopsphere.estate.stack_files import PLACEHOLDER
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.locking import try_lock
from shopsphere.topology import Pair, Seller, Topology, diagram, load_topology, parse_topology
from shopsphere.topology.insertion import InsertionError, appended


@dataclass(frozen=True)
class Draft:
    """Files to write.

    Attributes:
        project: folder of the new pair's stacks.
        stacks: content of each file in it, by name.
        changed: new content of files that are there.
        before: what these held when they were looked at.
        by_hand: what is left for a person, one sentence each.
    """

    project: Path
    stacks: Mapping[str, str]
    changed: Mapping[Path, str]
    before: Mapping[Path, str]
    by_hand: tuple[str, ...]


def draft(region: NewRegion, root: Path) -> Draft:
    """Work out what a region adds to the checkout at `root`; nothing is written.

    Raises:
        NewRegionError: it cannot be added as it was asked for.
        TopologyError: topology.yaml would not be valid with it, or is not now.
        InsertionError: topology.yaml is written in a form that nothing can be added to.
    """
    file, project = root / "topology.yaml", root / "stacks" / region.name
    before, looked_at = load_topology(file), file.read_text(encoding="utf-8")
    text = topology_with(region, before, looked_at, file.name)
    after = parse_topology(text, f"{file.name} with {region.name}")
    _require_unchanged(before, after, region)
    if project.exists():
        raise NewRegionError.build(
            f"{project}: there is such a folder",
            expected=f"no stacks of {region.name} yet",
            found="a folder",
            action="if an earlier try was killed, remove it and take back what `git diff` shows of that try; otherwise "
            "choose another name",
        )
    pair, source = after.pair(region.name), list(before.pairs.values())[-1]
    changed, by_hand = _edge_file(root / "Pulumi.prod.yaml", pair, after)
    overlay, more = _overlay_file(
        root / "topology.prod.yaml", pair, is_new=region.jurisdiction not in before.jurisdictions
    )
    picture = {root / "docs" / diagram.PICTURE.name: diagram.draw(after)}
    new = {**picture, **changed, **overlay, file: text}
    return Draft(
        project=project,
        stacks=stack_texts(after, source, pair, root / "stacks" / source.name),
        changed=new,
        before={**{each: each.read_text(encoding="utf-8") for each in new}, file: looked_at},
        by_hand=(*_to_check(pair, after), *by_hand, *more),
    )


def write(wanted: Draft) -> None:
    """Write a draft: the stacks first and topology.yaml last, so that no stack is missing to whoever reads that.

    When anything fails, what this call has written is taken back, and nothing else. A run that is killed leaves the
    folder of the stacks behind, and the next run refuses to write while that folder is there.

    Raises:
        NewRegionError: another one is at work here, or files are not as they were when the draft was made.
    """
    with _alone(wanted.project), ExitStack() as undo:
        _require_as_drafted(wanted)
        wanted.project.mkdir()
        undo.callback(_remove, wanted)
        for name, text in wanted.stacks.items():
            write_whole(wanted.project / name, text)
        for file, text in wanted.changed.items():
            undo.callback(_put_back, file, text, wanted.before[file])
            write_whole(file, text)
        undo.pop_all()


@contextmanager
def _alone(project: Path) -> Iterator[None]:
    """Keep a second `region add` away; the kernel frees the lock when the process ends, and no lock file is left."""
    descriptor = os.open(project.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not try_lock(descriptor):
            raise NewRegionError.build(
                f"{project.name}: another region is being added to this checkout; nothing was written",
                expected="no other `region add` at work here",
                found=f"a process that holds the lock on {project.parent}",
                action="wait until it has ended, then repeat this command",
            )
        yield
    finally:
        os.close(descriptor)


def _require_as_drafted(wanted: Draft) -> None:
    other = [file.name for file, text in wanted.before.items() if not _still_has(file, text)]
    if wanted.project.exists():
        other.append(f"{wanted.project.name}/")
    if other:
        raise NewRegionError.build(
            f"{wanted.project.name}: files were changed while it was being worked out; nothing was written",
            expected="the files that were read a moment ago",
            found=f"changed: {', '.join(other)}",
            action="repeat this command",
        )


def _still_has(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


def _remove(wanted: Draft) -> None:
    for name in wanted.stacks:
        (wanted.project / name).unlink(missing_ok=True)
    with suppress(OSError):  # somebody has put a file of their own there
        wanted.project.rmdir()


def _put_back(file: Path, written: str, before: str) -> None:
    if file.read_text(encoding="utf-8") == written:
        write_whole(file, before)


def _require_unchanged(before: Topology, after: Topology, region: NewRegion) -> None:
    """Refuse a new text that changes what was there before: the old text was not in the form that we can add to."""
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
        text = appended(text, "pairs", _seller(pair), file=file.name)
        return {file: text}, [f"{file.name}: fill in what was added for {' and '.join(pair.sites)}."]
    except InsertionError:
        return {}, [f"{file.name}: add what differs in production for {' and '.join(pair.sites)}."]


def _seller(pair: Pair) -> list[str]:
    """Return the lines of the company that sells in a pair's region, to be filled in."""
    facts = [f"        {name}: {PLACEHOLDER}" for name in Seller.model_fields]
    return [f"  {pair.name}:", "    storefront:", "      seller:", *facts]


def _to_check(pair: Pair, topology: Topology) -> list[str]:
    jurisdiction = topology.jurisdictions[pair.jurisdiction]
    networks = ", ".join(map(str, jurisdiction.client_networks))
    ways = [f"{site} {topology.site(site).address}" for site in pair.sites]
    left = [
        f"topology.yaml: have the legal basis of {pair.jurisdiction} confirmed by the data protection officer.",
        f"topology.yaml: check the addresses ({', '.join(ways)}), networks, racks and kW; they were chosen to be free.",
        f"topology.yaml: client networks of {pair.jurisdiction} are {networks}; put those of its customers there.",
        f"topology.yaml: check {pair.name}'s shipping; it was converted from that of the first region.",
        f"topology.yaml: add `tax` to {pair.name}'s storefront, if its prices include one that receipts have to state.",
        f"topology.yaml: add round trips to other sites; those not listed count {topology.wan.default_rtt_ms:g} ms.",
        f"topology.yaml: {pair.name} shows the legal texts of {pair.storefront.legal_texts}; have them checked, or set "
        "legal_texts, and name its seller.",
        f"stacks/{pair.name}: fill in Pulumi.prod-*.yaml for your own clusters.",
    ]
    if jurisdiction.archive is None:
        left.append(
            f"topology.yaml: add `archive` to {pair.jurisdiction}: it has no place for backups of its databases."
        )
    neighbours = [each.name for each in topology.pairs.values() if each.jurisdiction == pair.jurisdiction]
    if neighbours[0] != pair.name:
        left.append(f"Customers of {pair.jurisdiction} are led to {neighbours[0]}, its first pair, not to {pair.name}.")
    return left
