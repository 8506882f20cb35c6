"""Every kind of secret of a pair, when it was renewed last, and when the first certificate among them ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from rich.text import Text

from shopsphere.estate.pair_secrets import AUTHORITY, other_name
from shopsphere.estate.renewal import KINDS, NOT_RENEWED, SecretKind
from shopsphere.foundation.certificate_ends import SAID_BEFORE
from shopsphere.foundation.certificates import has_issued
from shopsphere.foundation.columns import Cell, columns, table


@dataclass(frozen=True)
class Row:
    """One kind.

    Attributes:
        kind: its name.
        what: what it is for.
        renewed: when a rotation renewed it last (UTC); None where no record says so: with the pair, or elsewhere.
        ends: when the first certificate of it that is used ends (UTC); None where nothing ends by itself.
        overlap: two are believed now.
    """

    kind: str
    what: str
    renewed: datetime | None
    ends: datetime | None
    overlap: bool


def rows(secrets: Mapping[str, str], renewed: Mapping[str, datetime]) -> list[Row]:
    """Return a row for each kind that a rotation renews.

    Args:
        secrets: of one of the pair's stacks.
        renewed: when each was, by its name.
    """
    return [
        Row(
            kind=kind.name,
            what=kind.title,
            renewed=renewed.get(kind.name),
            ends=first_end(kind, secrets),
            overlap=any(other_name(name) in secrets for name in kind.names),
        )
        for kind in KINDS.values()
        if kind.is_of(secrets)
    ]


def as_json(pair: str, found: list[Row]) -> str:
    """Return all of it as a JSON document."""
    kinds = [
        {
            "kind": each.kind,
            "what": each.what,
            "renewed": each.renewed.isoformat() if each.renewed else None,
            "ends": each.ends.isoformat() if each.ends else None,
            "overlap": each.overlap,
        }
        for each in found
    ]
    return json.dumps({"pair": pair, "kinds": kinds, "not_renewed_here": NOT_RENEWED}, indent=2)


def as_lines(found: list[Row], now: datetime, width: int) -> list[Text]:
    """Return a table, and below it what a rotation does not renew; `width` is the terminal's, in characters."""
    cells: list[list[Cell]] = [
        [
            each.kind,
            each.what,
            f"{each.renewed:%Y-%m-%d %H:%M}" if each.renewed else "not on record",
            _ending(each.ends, now),
            "yes" if each.overlap else "no",
        ]
        for each in found
    ]
    below = [f"not renewed here: {name}: {instead}" for name, instead in NOT_RENEWED.items()]
    named = columns("kind", "for", "renewed (UTC)", "first end (UTC)", "two believed now")
    return [*table(named, cells, width), *map(Text, below)]


def _ending(end: datetime | None, now: datetime) -> Cell:
    if end is None:
        return "-"
    days = (end - now).days
    if days < 0:
        return Text(f"ENDED {end:%Y-%m-%d %H:%M}", style="bold red")
    return Text(f"{end:%Y-%m-%d}, in {days} days", style="yellow" if days <= SAID_BEFORE.days else "")


def first_end(kind: SecretKind, secrets: Mapping[str, str]) -> datetime | None:
    """Return when the first certificate of a kind that is used ends (UTC); None where none of these secrets is one.

    Used is what servers and replication present, and the authority that has issued it. Another authority beside that
    one, which may have ended long ago, is believed and vouches for nothing any more.
    """
    names = [name for name in kind.names if name.endswith("Certificate") and name in secrets]
    found = {name: x509.load_pem_x509_certificates(secrets[name].encode()) for name in names}
    authorities = found.pop(AUTHORITY, [])
    return min((_end(each, authorities) for chain in found.values() for each in chain), default=None)


def _end(presented: x509.Certificate, authorities: Sequence[x509.Certificate]) -> datetime:
    """Return when a certificate is not believed any more (UTC): it has ended, or all that have issued it."""
    issuers = [each.not_valid_after_utc for each in authorities if has_issued(each, presented)]
    own = presented.not_valid_after_utc
    return min(own, max(issuers, default=own))
