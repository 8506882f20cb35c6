"""Which keys a zone is to be signed with, and which must go: a wrong choice makes every answer count as forged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from shopsphere.clients.dns import NameServerError
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.key_record import TYPE, KeyRecord, end, flooded, record_name, write_key_record
from shopsphere.names.key_view import KeysView, look_at_keys
from shopsphere.names.zone_ds import leads, may_lead, unchecked
from shopsphere.names.zone_keys import (
    RETIRED,
    ZoneKey,
    ZoneKeyError,
    kept_keys,
    make_key,
    private_key,
    retire_all,
    retired_keys,
)
from shopsphere.names.zone_proof import Vouched, shown_ds
from shopsphere.names.zone_signing import bring_key, take_key

DOCS = "docs/zone-keys.md"


@dataclass(frozen=True)
class ZoneKeys:
    """What is known of a zone's keys.

    Attributes:
        zone: fully qualified.
        folder: where private halves are kept.
        parents: addresses of the parent zone's name servers; none where they are not named.
        anchors: DS of the keys that the stack's state knows.
        retired: DNSKEYs that the stack's state knows as retired.
    """

    zone: str
    folder: Path
    parents: tuple[IPv4Address, ...]
    anchors: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()

    def look(self, authorities: Sequence[DnsAuthority]) -> KeysView:
        """Ask each authority once which keys it has; changes nothing.

        Raises:
            EdgeError: one does not answer.
            ZoneKeyError: a file of keys cannot be read.
        """
        own, retired = kept_keys(self.folder).keys(), retired_keys(self.folder)
        return look_at_keys(authorities, self.zone, self.anchors, self.retired | retired, own)

    def sign(self, authorities: Sequence[DnsAuthority]) -> KeysView:
        """Let every authority sign with the same keys, and with none that was retired; return what they have then.

        A key is made where there is none anywhere. What was retired is known to this machine and to every authority
        before any key is brought.

        Raises:
            ZoneKeyError: it cannot be known which key it has to be, or one must go that the parent zone vouches for.
            EdgeError: an authority does not answer.
        """
        view = self.look(authorities)
        if view.flooded:
            raise flooded(self.zone, view.flooded)
        if false := view.contradicted_at:
            raise contradicted(self.zone, false, self.folder)
        retire_all(self.folder, view.retired)
        fresh = self._said(view)
        is_changed = bool(view.behind or fresh.ended)
        if is_changed:
            write_key_record(authorities, self.zone, fresh)
        for key in self._wanted(view):
            for authority in authorities:
                if key.dnskey not in view.signing(authority.name):
                    bring_key(authority, self.zone, key, self.folder)
                    is_changed = True
        is_changed = self._take_retired(authorities, view) or is_changed
        return self.look(authorities) if is_changed else view

    def _said(self, view: KeysView) -> KeyRecord:
        """Return which keys were retired; with a proof where none is there and the file of a key in use is here."""
        files = kept_keys(self.folder)
        by = next((each for each in sorted(view.in_use) if each in files), "")
        ended = [
            end(self.zone, ZoneKey(each), ZoneKey(by), private_key(files[by]))
            for each in sorted(view.retired - view.proven)
            if by
        ]
        return KeyRecord.together([KeyRecord(retired=view.retired), *ended])

    def _wanted(self, view: KeysView) -> list[ZoneKey]:
        return [ZoneKey(each) for each in sorted(view.in_use)] or self._chosen(view)

    def _take_retired(self, authorities: Iterable[DnsAuthority], view: KeysView) -> bool:
        """Let authorities forget keys that were retired, as one that came back with an old store has them."""
        there = {each.name: view.retired & {key.dnskey for key in view.held[each.name]} for each in authorities}
        for authority in authorities:
            for key in map(ZoneKey, sorted(there[authority.name])):
                shown = self._vouched(f"whether key {key.tag} may be taken away")
                if may_lead(shown, self.zone, key):
                    raise ZoneKeyError.build(
                        f"the parent of {self.zone} vouches for key {key.tag}, which was retired",
                        expected="the DS of a key in use, and no other",
                        found=", ".join(sorted(shown)),
                        action=f"put the DS right at the registrar, then repeat ({DOCS})",
                    )
                take_key(authority, self.zone, key)
        return any(there.values())

    def _chosen(self, view: KeysView) -> list[ZoneKey]:
        """Return what to sign with where no authority does: what the parent vouches for, as files come and go."""
        kept = [ZoneKey(each) for each in kept_keys(self.folder) if each not in view.retired]
        if view.unknown and not kept:
            raise unknown_keys(self.zone, view.unknown_at, self.folder)
        shown = self._vouched("which key has to sign it")
        if shown:
            if found := [each for each in kept if leads(shown, self.zone, each)]:
                return found
            weak = unchecked(shown)
            raise ZoneKeyError.build(
                f"the parent of {self.zone} vouches for a key that is not here, and no authority signs with it",
                expected=f"a key file in {self.folder} with DS {' or '.join(sorted(shown))}",
                found=_listed(kept, self.zone)
                + (f"; {RETIRED} lists {len(view.retired)} more" if view.retired else "")
                + (f"; {weak}" if weak else ""),
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


def contradicted(zone: str, places: Mapping[str, AbstractSet[str]], folder: Path) -> ShopSphereError:
    """Return that the zone's record says of keys that they were retired, and nobody proves it.

    Args:
        zone: fully qualified.
        places: DNSKEYs that are in use, or have a file here, by the authority whose record says so.
        folder: where private halves are kept.
    """
    return ZoneKeyError.build(
        f"the zone's own record says that keys of {zone} were retired which are in use, or have a file here, and "
        "neither the stack's state, nor this machine, nor a key that stayed says so",
        expected=f"lines `retired` in {record_name(zone)} {TYPE} that are signed by a key in use",
        found=", ".join(f"{ZoneKey(each).described} at {name}" for name in places for each in sorted(places[name])),
        action="if somebody else wrote it: remove that record there (`shopsphere drift edge` prints the command), and "
        "ask who may deploy; if the key was retired, "
        f"move its file out of {folder}, or deploy on the machine that rolled; then repeat ({DOCS})",
    )


def unknown_keys(zone: str, places: Mapping[str, AbstractSet[str]], folder: Path) -> ShopSphereError:
    """Return that authorities hold keys of a zone that nobody knows.

    Args:
        zone: fully qualified.
        places: DNSKEYs by the authority that holds them.
        folder: where private halves are kept.
    """
    told = [f"{ZoneKey(each).described} at {name}" for name, keys in places.items() for each in sorted(keys)]
    return ZoneKeyError.build(
        f"authorities hold keys of {zone} that nobody here knows: who made them can sign whatever he likes",
        expected=f"keys of the stack's state, of a roll, or of files in {folder}",
        found=", ".join(told),
        action="if it is yours, bring its file there and repeat; else `shopsphere drift edge` prints the command that "
        f"removes it ({DOCS})",
    )


def _listed(keys: Iterable[ZoneKey], zone: str) -> str:
    return ", ".join(f"{each.tag} ({each.ds(zone)})" for each in keys) or "no key"
