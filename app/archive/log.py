"""One JSON object per line on stdout, as the shop's processes write; without its libraries."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def say(event: str, *, level: str = "info", **facts: object) -> None:
    """Write one line; facts are names, counts and times, never data."""
    line = {"event": event, "level": level, "time": datetime.now(UTC).isoformat(), **facts}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
