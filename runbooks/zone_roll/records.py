"""What earlier rolls left: journals of their own, so that an unfinished one keeps nobody from moving a pair."""

from __future__ import annotations

from pathlib import Path

from runbooks.engine.records import Kind, read_runs
from runbooks.zone_roll.zone_roll import RETIRED

ROLLS = "zone-rolls"
"""Folder beside the journals of runs that move a pair."""


def retired_in(directory: Path, zone: str) -> list[str]:
    """Return the DNSKEYs that rolls of a zone have retired, in order.

    Args:
        directory: of the journals.
        zone: fully qualified.

    Raises:
        JournalError: a journal is damaged.
    """
    lines = (line for run in read_runs(directory) if run.facts.pair == zone for line in run.of(Kind.REMEMBERED))
    return sorted({str(line.fields["value"]) for line in lines if line.fields["key"] == RETIRED})
