"""How each authority serves the zone, beside its names: a stranger's setting signs otherwise, or lets others write."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from shopsphere.clients.powerdns import KIND, NATIVE, OWN_SETTINGS
from shopsphere.drift.edge_declared import DeclaredZone
from shopsphere.drift.edge_finding import edge_drift
from shopsphere.drift.edge_served import Served
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.values import difference_shown
from shopsphere.foundation.finding import Severity

_DECLARED = {KIND: (NATIVE,), **{kind: (value,) for kind, value in OWN_SETTINGS.items()}}
_OPENS = frozenset(
    {
        *(KIND, "PRESIGNED", "AXFR-MASTER-TSIG", "LUA-AXFR-SCRIPT"),
        *("ALLOW-DNSUPDATE-FROM", "TSIG-ALLOW-DNSUPDATE", "FORWARD-DNSUPDATE"),
    }
)
"""With these, others than the deployment say what is answered, or answers are not signed as they are made."""
_COUNTS = frozenset({"SOA-EDIT", "SOA-EDIT-API", "SOA-EDIT-DNSUPDATE"})
"""These change the serial alone, which nobody transfers by."""


def judge_settings(zone: DeclaredZone, served: Sequence[Served]) -> Iterator[Drift]:
    """Yield settings that differ from those that a zone is made with: NSEC without more, signed as it is answered.

    Args:
        zone: what is declared.
        served: what each authority that could be read has.
    """
    for each in served:
        if not each.settings:
            continue
        for kind in sorted({*each.settings, *_DECLARED}):
            wanted, found = _DECLARED.get(kind, ()), each.settings.get(kind, ())
            if wanted != found:
                declared, live = difference_shown(" | ".join(wanted), " | ".join(found))
                yield edge_drift(
                    f"settings of zone {zone.name} at {each.authority}",
                    _kind(wanted, found),
                    _severity(kind),
                    kind,
                    declared,
                    live,
                    residency=kind in _OPENS,
                    repair=_repair(zone.name, kind, wanted, each.authority),
                )


def _kind(wanted: Sequence[str], found: Sequence[str]) -> Kind:
    if not wanted:
        return Kind.ADDED
    return Kind.CHANGED if found else Kind.REMOVED


def _severity(kind: str) -> Severity:
    if kind in _OPENS:
        return Severity.CRITICAL
    return Severity.MEDIUM if kind in _COUNTS else Severity.HIGH


def _repair(zone: str, kind: str, wanted: Sequence[str], authority: str) -> str:
    """Return what to type on the authority's own host: nobody sets these from outside."""
    name = zone.removesuffix(".")
    match kind:
        case "NSEC3PARAM" | "NSEC3NARROW":
            words = f"pdnsutil unset-nsec3 {name} && pdnsutil rectify-zone {name}"
        case "PRESIGNED":
            words = f"pdnsutil unset-presigned {name} && pdnsutil rectify-zone {name}"
        case str(changed) if changed == KIND:
            words = f"pdnsutil set-kind {name} native"
        case _:
            words = shlex.join(["pdnsutil", "set-meta", name, kind, *wanted])
    return f"{words}  # on the host of {authority}"
