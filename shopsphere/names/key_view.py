"""Which keys of a zone each authority has now, and which of these anybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shopsphere.clients.powerdns import DnsAuthority, HeldKey, RRset
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.key_record import TYPE, KeyRecord, record_name
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_signing import SIGNED, UNSIGNED


@dataclass(frozen=True)
class KeysView:
    """What authorities have.

    Attributes:
        zone: fully qualified.
        held: all keys by the authority's name, also those that do not sign.
        known: DNSKEYs of these that the stack's state, a roll or a file here knows.
        retired: DNSKEYs that must never sign again, as anybody knows.
        retired_here: those of them that are known here, and not by the record of the zone alone.
        behind: names of authorities whose record of keys is not all that is known.
    """

    zone: str
    held: Mapping[str, Sequence[HeldKey]]
    known: frozenset[str]
    retired: frozenset[str]
    retired_here: frozenset[str]
    behind: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        zone: str,
        found: Mapping[str, tuple[Sequence[HeldKey], RRset | None]],
        anchors: AbstractSet[str],
        retired: AbstractSet[str],
    ) -> KeysView:
        """Return what is known of keys.

        Args:
            zone: fully qualified.
            found: keys and the zone's record of keys by the authority that has them.
            anchors: DS of keys that are known here.
            retired: DNSKEYs that are known here as retired.
        """
        held = {name: keys for name, (keys, _) in found.items()}
        record = KeyRecord.together(
            [KeyRecord(frozenset(retired)), *(KeyRecord.of(each) for _, each in found.values())]
        )
        wanted = record.rrset(zone)
        behind = frozenset(name for name, (_, each) in found.items() if each != wanted)
        every = {each.dnskey for keys in held.values() for each in keys}
        return cls(zone, held, record.known(zone, every, anchors), record.retired, frozenset(retired), behind)

    def signing(self, authority: str) -> frozenset[str]:
        """Return the DNSKEYs that an authority signs with."""
        return frozenset(each.dnskey for each in self.held[authority] if each.signs)

    @property
    def not_retired(self) -> frozenset[str]:
        """DNSKEYs with which any authority signs, whoever made them, but those that must not."""
        return frozenset[str]().union(*map(self.signing, self.held)) - self.retired

    @property
    def in_use(self) -> frozenset[str]:
        """DNSKEYs with which any authority signs, and may."""
        return self.not_retired & self.known

    @property
    def contradicted(self) -> frozenset[str]:
        """All keys that sign and are known here, where the record alone says that each of them was retired."""
        signing = frozenset[str]().union(*map(self.signing, self.held)) & self.known
        return signing if signing <= self.retired and not signing <= self.retired_here else frozenset()

    @property
    def unknown_at(self) -> dict[str, frozenset[str]]:
        """DNSKEYs that nobody knows, by the authority that holds them; one that does not sign is published too."""
        found = {
            name: frozenset(each.dnskey for each in keys) - self.known - self.retired
            for name, keys in self.held.items()
        }
        return {name: keys for name, keys in found.items() if keys}

    @property
    def unknown(self) -> frozenset[str]:
        """All of these."""
        return frozenset[str]().union(*self.unknown_at.values())

    @property
    def ds(self) -> list[str]:
        """What the parent zone has to show: one DS of each key in use."""
        return sorted(ZoneKey(each).ds(self.zone) for each in self.in_use)

    def lines(self) -> list[str]:
        """Say for people which keys each authority has; whether they are known is not asked."""
        found = []
        for name, keys in self.held.items():
            told = [
                f"{ZoneKey(each.dnskey).tag}{'' if each.signs else ' (does not sign)'}"
                f"{' (was retired)' if each.dnskey in self.retired else ''}"
                for each in sorted(keys, key=lambda key: key.dnskey)
            ]
            found.append(f"{name}: {', '.join(told) or 'signs nothing'}")
        return found

    def line(self, authority: str) -> str:
        """Say how an authority signs; `SIGNED` where it does as the others, and as it should."""
        there = frozenset(each.dnskey for each in self.held[authority])
        if not there:
            return UNSIGNED
        if strange := self.unknown_at.get(authority):
            return f"with key {_tags(strange)}, which nobody knows"
        if missing := self.in_use - self.signing(authority):
            why = "which does not sign there" if missing <= there else "which another authority has"
            return f"without key {_tags(missing)}, {why}"
        if old := there & self.retired:
            return f"with key {_tags(old)}, which was retired"
        if not self.signing(authority):
            return f"with key {_tags(there)}, which does not sign"
        return "with a record of keys that is not what others know" if authority in self.behind else SIGNED


def look_at_keys(
    authorities: Sequence[DnsAuthority], zone: str, anchors: AbstractSet[str], retired: AbstractSet[str]
) -> KeysView:
    """Ask each authority once.

    Args:
        authorities: of the zone.
        zone: fully qualified.
        anchors: DS of keys that are known here.
        retired: DNSKEYs that are known here as retired.

    Raises:
        EdgeError: one does not answer.
    """

    def ask(authority: DnsAuthority) -> tuple[Sequence[HeldKey], RRset | None]:
        return authority.zone_keys(zone), authority.rrset(zone, record_name(zone), TYPE)

    found = dict(zip([each.name for each in authorities], at_each(list(authorities), ask), strict=True))
    return KeysView.of(zone, found, anchors, retired)


def _tags(keys: AbstractSet[str]) -> str:
    return ", ".join(str(ZoneKey(each).tag) for each in sorted(keys))
