"""What an agent says of itself beside what is open: for people, and for runbooks that decide by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from runbooks.agent.audit_heads import KeptHeads
from runbooks.agent.permits import Permits
from runbooks.agent.state import UNKNOWN, Knowledge
from shopsphere.foundation.exchanged import Exchanged

_PROOFS = {"decision", "signature"}
"""Fields of records and permits that are of no use to people."""


def description(site: str, known: Knowledge, permits: Permits, now: float) -> dict[str, object]:
    """Return what an agent knows at the monotonic time `now`, as JSON values."""
    return {
        "site": site,
        "role": known.role,
        "session": permits.session,
        "permit": _told(known.standing_permit),
        "refused": permits.refused,
        "witness": _witness(known, permits, now),
        "unproven": "" if known.is_proven(now) else known.unproven or UNKNOWN,
        "reaches_peer": known.reaches_peer(now),
        "lease_seconds_left": round(max(0.0, known.lease_until - now), 1),
        "record": _told(known.record),
    }


def _told(document: Exchanged | None) -> dict[str, object] | None:
    return document.model_dump(mode="json", exclude=_PROOFS) if document else None


def with_heads(describe: Callable[[], Mapping[str, object]], heads: KeptHeads) -> Callable[[], dict[str, object]]:
    """Return a description that also tells which heads of audit logs are kept at this site."""
    return lambda: {**describe(), "audit": heads.told()}


def _witness(known: Knowledge, permits: Permits, now: float) -> dict[str, object]:
    """Return what is known of the witness, also from before this start.

    `epoch`, `active`: as last known; None when they never were. `answered`: whether the quorum has answered so lately
    that the witness cannot be called lost. `seconds_ago`: when it did; None for not since the start.
    """
    last, ago = permits.witnessed, now - known.heard_at
    return {
        "epoch": last.epoch if last else None,
        "active": last.active if last else None,
        "lease_holder": known.lease_holder,
        "answered": known.has_heard_lately(now),
        "seconds_ago": None if math.isinf(ago) else round(ago, 1),
    }
