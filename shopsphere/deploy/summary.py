"""What a run of the engine amounts to, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shopsphere.deploy.outcomes import CREATE, DELETE, REPLACE, UPDATE, EngineRun, ResourceChange

MARKED = {REPLACE: "REPLACE", DELETE: "DELETE"}
"""Operations that take something away, as they stand out without colour too."""


def summary(planned: EngineRun) -> str:
    """Return one line: how many resources, how many of each operation, and who judged them."""
    listed = f" ({operations(planned)})" if planned.changes else ""
    # The engine names the pack only at the end of a preview, and ends none that would take away what is protected.
    judged = f"judged by {packs(planned)}" if planned.packs else f"{len(planned.protected)} of them protected"
    return f"{planned.total} resources, {planned.changed} to change{listed}, {judged}"


def operations(run: EngineRun) -> str:
    """Return how many resources each operation of a run is for, as in `1 create, 2 update, 1 REPLACE`."""
    return counted(run.changes)


def counted(changes: Iterable[ResourceChange]) -> str:
    """Return how many changes there are of each operation, what takes something away in capitals and last."""
    order = {name: place for place, name in enumerate((CREATE, UPDATE, REPLACE, DELETE))}
    counts = Counter(change.operation for change in changes)
    found = sorted(counts, key=lambda name: (order.get(name, -1), name))
    return ", ".join(f"{counts[name]} {MARKED.get(name, name)}" for name in found)


def packs(run: EngineRun) -> str:
    """Return the policy packs that judged a run."""
    return ", ".join(f"{name} {version}".strip() for name, version in run.packs.items())
