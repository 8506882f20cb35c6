"""Deployments, from the lines that `up` and `destroy` leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from runbooks.history.entry import HistoryEntry
from shopsphere.deploy.history import FILE


def deployments(directory: Path) -> Iterator[HistoryEntry | str]:
    """Yield an entry for each deployment; of a damaged line, that it is."""
    file = directory / FILE
    for number, line in enumerate(file.read_bytes().splitlines() if file.exists() else [], 1):
        try:
            yield _entry(line, file)
        except (ValueError, KeyError, TypeError):  # as after a power loss
            yield f"{file}: line {number} is damaged"


def _entry(line: bytes, file: Path) -> HistoryEntry:
    record = json.loads(line)
    began = datetime.fromisoformat(record["began"])
    if began.tzinfo is None:
        raise ValueError(f"{began} has no time zone")
    return HistoryEntry(
        began=began,
        what=str(record["verb"]),
        on=str(record["target"]),
        who=str(record["who"]),
        why="; ".join(map(str, record.get("errors", {}).values())),
        result=str(record["result"]),
        seconds=round(float(record["seconds"]), 1),
        report=str(file),
    )
