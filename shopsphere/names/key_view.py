"""Which keys of a zone each authority has now, and which of these anybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shopsphere.clients.powerdns import DnsAuthority, HeldKey, RRset
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.key_record import TYPE, KeyRecord, is_flooded, record_name
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_signing import SIGNED, UNSIGNED


@dataclass(frozen=True)
class KeysView:
    """What authorities have.

    Attributes:
        zone: fully qualified.
        held: all keys by the authority's name, also those that do not sign.
        known: DNSKEYs of these that the stack's state, a roll or a file here knows.
        retired: DNSKEYs that must never sign again: known here, or a known key says so.
        retired_here: those of them that are known here, and not by the record of the zone alone.
        proven: those of them of which a known key says so in the record.
        claimed: DNSKEYs of which the record says so, and no known key: nothing is done for it.
        said: DNSKEYs that are said to be retired, by the authority whose record says so.
        own: DNSKEYs whose files are here.
        behind: names of authorities whose record of keys is not all that is known.
        flooded: names of authorities whose record is too large to be read.
    """

    zone: str
    held: Mapping[str, Sequence[HeldKey]]
    known: frozenset[str]
    retired: frozenset[str]
    retired_here: frozenset[str]
    proven: frozenset[str]
    claimed: frozenset[str]
    said: Mapping[str, frozenset[str]]
    own: frozenset[str]
    behind: frozenset[str]
    flooded: frozenset[str]

    @classmethod
    def of(
        cls,
        zone: str,
        found: Mapping[str, tuple[Sequence[HeldKey], RRset | None]],
        anchors: AbstractSet[str] | None,
        retired: AbstractSet[str],
        own: AbstractSet[str] = frozenset(),
    ) -> KeysView:
        """Return what is known of keys.

        Args:
            zone: fully qualified.
            found: keys and the zone's record of keys by the authority that has them.
            anchors: DS of keys that are known here; None where every key that an authority holds is to be believed.
            retired: DNSKEYs that are known here as retired.
            own: DNSKEYs whose files are here; they are known too, but for retired ones.
        """
        held = {name: keys for name, (keys, _) in found.items()}
        record = KeyRecord.together(
            [KeyRecord(frozenset(retired)), *(KeyRecord.of(each) for _, each in found.values())]
        )
        wanted = record.rrset(zone)
        behind = frozenset(name for name, (_, each) in found.items() if each != wanted)
        every = {each.dnskey for keys in held.values() for each in keys}
        if anchors is None:
            anchors = {ZoneKey(each).ds(zone) for each in every}
        known = anchors | {ZoneKey(each).ds(zone) for each in own - retired}
        proven = record.proven(zone, every | own, known, retired)
        gone = proven | retired
        # The file of a key that was retired elsewhere may still be here: it makes no key known.
        known = anchors | {ZoneKey(each).ds(zone) for each in own - gone}
        return cls(
            zone,
            held,
            known=record.known(zone, every, known),
            retired=gone,
            retired_here=frozenset(retired),
            proven=proven,
            claimed=record.retired - gone,
            said={name: KeyRecord.of(each).retired for name, (_, each) in found.items()},
            own=frozenset(own),
            behind=behind,
            flooded=frozenset(name for name, (_, each) in found.items() if is_flooded(each)),
        )

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
        """Keys that are there and known, or have a file here, of which the record says what no known key says.

        All keys that sign and are known, where the record alone says that each of them was retired, are such ones too.
        """
        signing = frozenset[str]().union(*map(self.signing, self.held)) & self.known
        every = signing if signing <= self.retired and not signing <= self.retired_here else frozenset[str]()
        return every | (self.claimed & (self.known | self.own))

    @property
    def contradicted_at(self) -> dict[str, frozenset[str]]:
        """These keys, by the authority whose record says so."""
        return {name: false for name, keys in self.said.items() if (false := keys & self.contradicted)}

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
                f"{' (said to be retired and not proven)' if each.dnskey in self.claimed else ''}"
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
        return self._record_line(authority)

    def _record_line(self, authority: str) -> str:
        if authority in self.flooded:
            return "with a record of keys that is too large to be read"
        return "with a record of keys that is not what others know" if authority in self.behind else SIGNED


def look_at_keys(
    authorities: Sequence[DnsAuthority],
    zone: str,
    anchors: AbstractSet[str] | None,
    retired: AbstractSet[str],
    own: AbstractSet[str] = frozenset(),
) -> KeysView:
    """Ask each authority once.

    Args:
        authorities: of the zone.
        zone: fully qualified.
        anchors: DS of keys that are known here; None where every key that an authority holds is to be believed.
        retired: DNSKEYs that are known here as retired.
        own: DNSKEYs whose files are here; they are known too, but for retired ones.

    Raises:
        EdgeError: one does not answer.
    """

    def ask(authority: DnsAuthority) -> tuple[Sequence[HeldKey], RRset | None]:
        return authority.zone_keys(zone), authority.rrset(zone, record_name(zone), TYPE)

    found = dict(zip([each.name for each in authorities], at_each(list(authorities), ask), strict=True))
    return KeysView.of(zone, found, anchors, retired, own)


def _tags(keys: AbstractSet[str]) -> str:
    return ", ".join(str(ZoneKey(each).tag) for each in sorted(keys))
