"""What a watch tells, as lines for people and as JSON Lines for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from shopsphere.drift.model import Drift, SiteDrift
from shopsphere.drift.watching import Event
from shopsphere.foundation.columns import UNBOUNDED, folded

_BELOW = " " * 10
"""Below the time."""


def as_json(event: Event) -> str:
    """Return an event as one line of JSON: `event` and `at`, then what it is about."""
    match event.about:
        case Drift():
            about = event.about.as_json()
        case SiteDrift(site=site, declared=declared, live=live):
            about = {"site": site, "declared": declared, "live": live}
        case _:
            about = asdict(event.about)
    return json.dumps({"event": event.what.value, "at": event.at.isoformat(timespec="milliseconds"), **about})


def as_text(event: Event, width: int = UNBOUNDED) -> str:
    """Return an event as one line, folded where the terminal is narrower.

    Args:
        event: what happened.
        width: of the terminal, in characters.
    """
    text = f"{event.what.upper()} {_text(event)}"
    return "\n".join(folded(text, width, first=f"{event.at:%H:%M:%S}  ", indent=_BELOW))


def _text(event: Event) -> str:
    match event.about:
        case Drift() as drift:
            residency = ", residency" if drift.residency else ""
            field = f", {drift.field}" if drift.field else ""
            return (
                f"{drift.severity.upper()}{residency} {drift.site}: {drift.object}{field}: {drift.kind}; "
                f"declared {drift.declared or 'nothing'}; live {drift.live or 'nothing'}; by {drift.who}; "
                f"do {drift.repair}"
            )
        case SiteDrift(site=site, declared=declared, live=live):
            return f"{site}: {declared} declared and {live} live objects"
        case _:
            return f"{event.about.site}: {event.about.what}: {event.about.why}"
