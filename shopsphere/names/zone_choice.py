"""Which keys a zone is to be signed with, and which must go: a wrong choice makes every answer count as forged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from shopsphere.clients.dns import NameServerError
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.zone_keys import RETIRED, ZoneKey, ZoneKeyError, kept_keys, make_key, retired_keys
from shopsphere.names.zone_proof import Vouched, shown_ds
from shopsphere.names.zone_signing import signing_keys, take_key

DOCS = "docs/zone-keys.md"


@dataclass(frozen=True)
class ZoneKeys:
    """What is known of a zone's keys.

    Attributes:
        zone: fully qualified.
        folder: where private halves are kept.
        parents: addresses of the parent zone's name servers; none where they are not named.
    """

    zone: str
    folder: Path
    parents: tuple[IPv4Address, ...]

    def wanted(self, authorities: Sequence[DnsAuthority]) -> list[ZoneKey]:
        """Return the keys that every authority has to sign with; one is made where there is none anywhere.

        Raises:
            ZoneKeyError: no authority signs, and it cannot be known which key it has to be.
        """
        held = frozenset[str]().union(*(signing_keys(each, self.zone) for each in authorities))
        in_use = held - retired_keys(self.folder)
        return [ZoneKey(each) for each in sorted(in_use)] or self._chosen()

    def take_retired(self, authorities: Iterable[DnsAuthority]) -> None:
        """Let authorities forget keys that were retired, as one that came back with an old store has them.

        Raises:
            ZoneKeyError: the parent zone vouches for such a key, or nobody knows whether it does.
        """
        retired = retired_keys(self.folder)
        for authority in authorities:
            for dnskey in sorted(retired & {each.dnskey for each in authority.zone_keys(self.zone)}):
                key = ZoneKey(dnskey)
                if key.ds(self.zone) in self._vouched(f"whether key {key.tag} may be taken away"):
                    raise ZoneKeyError.build(
                        f"the parent of {self.zone} vouches for key {key.tag}, which was retired",
                        expected="the DS of a key in use, and no other",
                        found=f"{self.zone} IN DS {key.ds(self.zone)}",
                        action=f"put the DS right at the registrar, then repeat ({DOCS})",
                    )
                take_key(authority, self.zone, key)

    def _chosen(self) -> list[ZoneKey]:
        """Return what to sign with where no authority does: what the parent vouches for, as files come and go."""
        retired = retired_keys(self.folder)
        kept = [ZoneKey(each) for each in kept_keys(self.folder) if each not in retired]
        shown = self._vouched("which key has to sign it")
        if shown:
            if found := [each for each in kept if each.ds(self.zone) in shown]:
                return found
            raise ZoneKeyError.build(
                f"the parent of {self.zone} vouches for a key that is not here, and no authority signs",
                expected=f"a key file in {self.folder} with DS {' or '.join(sorted(shown))}",
                found=_listed(kept, self.zone) + (f"; {RETIRED} lists {len(retired)} more" if retired else ""),
                action=f"bring the file TAG.pem back from where keys are kept; or, if it is lost, take the DS away at "
                f"the registrar, wait for its TTL, and repeat: a new key is made then ({DOCS})",
            )
        if len(kept) > 1:
            raise ZoneKeyError.build(
                f"no authority signs {self.zone}, and there are several keys that it could be",
                expected=f"one key file in {self.folder}",
                found=_listed(kept, self.zone),
                action=f"move all but one of them away; the newest is that of the last roll ({DOCS})",
            )
        return kept or [make_key(self.folder)]

    def _vouched(self, unknown: str) -> frozenset[str]:
        """Return what any server of the parent zone says; all have to answer."""

        def ask(server: IPv4Address) -> Vouched:
            try:
                return shown_ds(server, self.zone)
            except NameServerError as error:
                raise ZoneKeyError.build(
                    f"the parent of {self.zone} does not say for which keys it vouches: it is not known {unknown}",
                    expected="an answer of every server of shopsphere:parentServers",
                    found=one_line(error),
                    action="repeat when it answers; or correct parentServers in the edge's stack file",
                ) from error

        return frozenset[str]().union(*(each.ds for each in at_each(self.parents, ask)))


def _listed(keys: Iterable[ZoneKey], zone: str) -> str:
    return ", ".join(f"{each.tag} ({each.ds(zone)})" for each in keys) or "no key"
