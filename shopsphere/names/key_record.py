"""What all see of a zone's keys, in a record of the zone itself: which were retired, and which were made in a roll.

Files of one machine do not say it to another one, and the state of a stack learns of a roll with the next deployment. A
key that was made in a roll is there with a signature of the key before it, so that nobody who only may write to an
authority can add one. Each authority holds the record; together they know what any of them knows.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256

from shopsphere.clients.edge_errors import VerificationError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.names.zone_keys import ALGORITHM_NUMBER, ZoneKey, ZoneKeyError

TYPE = "TXT"
_LABEL, _TTL_SECONDS = "_zone-keys", 60
_KEY = r"(?P<{}>\d+ \d+ \d+ [A-Za-z0-9+/=]+)"
_RETIRED = re.compile(rf'"retired {_KEY.format("key")}"')
_ENDORSED = re.compile(rf'"made {_KEY.format("key")} by (?P<tag>\d+) (?P<signature>[A-Za-z0-9+/=]+)"')


@dataclass(frozen=True, order=True)
class Endorsement:
    """That a key was made by who had another one.

    Attributes:
        dnskey: the key.
        tag: of the key before.
        signature: by that key, in base64.
    """

    dnskey: str
    tag: int
    signature: str


@dataclass(frozen=True)
class KeyRecord:
    """What one authority knows, or several together.

    Attributes:
        retired: DNSKEYs that must never sign again.
        made: in rolls.
    """

    retired: frozenset[str] = frozenset()
    made: frozenset[Endorsement] = frozenset()

    @classmethod
    def of(cls, rrset: RRset | None) -> KeyRecord:
        """Return what a record says; lines of another shape say nothing."""
        lines = rrset.records if rrset else ()
        retired = {found["key"] for line in lines if (found := _RETIRED.fullmatch(line))}
        made = {
            Endorsement(found["key"], int(found["tag"]), found["signature"])
            for line in lines
            if (found := _ENDORSED.fullmatch(line))
        }
        return cls(frozenset(filter(_is_key, retired)), frozenset(each for each in made if _is_key(each.dnskey)))

    @classmethod
    def together(cls, records: Iterable[KeyRecord]) -> KeyRecord:
        """Return all that any of them says."""
        known = list(records)
        return cls(
            frozenset[str]().union(*(each.retired for each in known)),
            frozenset[Endorsement]().union(*(each.made for each in known)),
        )

    def rrset(self, zone: str) -> RRset | None:
        """Return it as authorities hold it; None where there is nothing to say."""
        lines = [f'"retired {each}"' for each in self.retired]
        lines += [f'"made {each.dnskey} by {each.tag} {each.signature}"' for each in self.made]
        return RRset(record_name(zone), TYPE, _TTL_SECONDS, tuple(sorted(lines))) if lines else None

    def known(self, zone: str, keys: Iterable[str], anchors: AbstractSet[str]) -> frozenset[str]:
        """Return those keys that an anchor is the DS of, or that a key made which is such a one.

        Args:
            zone: fully qualified.
            keys: DNSKEYs that there are.
            anchors: DS, as the state of the stack has them.
        """
        there = frozenset(keys)
        every = there | self.retired | {each.dnskey for each in self.made}
        found = {each for each in every if ZoneKey(each).ds(zone) in anchors}
        while more := {
            each.dnskey
            for each in self.made
            if each.dnskey not in found and any(_signed(each, zone, key) for key in found if key != each.dnskey)
        }:
            found |= more
        return there & found


def record_name(zone: str) -> str:
    """Return the name of a zone's record, fully qualified."""
    return f"{_LABEL}.{zone}"


def read_record(authority: DnsAuthority, zone: str) -> KeyRecord:
    """Return what an authority knows; nothing where it has no record."""
    return KeyRecord.of(authority.rrset(zone, record_name(zone), TYPE))


def write_key_record(authorities: Sequence[DnsAuthority], zone: str, more: KeyRecord) -> None:
    """Let every authority know what any of them knows, and more.

    Raises:
        EdgeError: one does not answer, or refuses.
        VerificationError: one accepted it and shows something else.
    """
    name = record_name(zone)
    before = [each.rrset(zone, name, TYPE) for each in authorities]
    wanted = KeyRecord.together([*map(KeyRecord.of, before), more]).rrset(zone)
    behind = [each for each, found in zip(authorities, before, strict=True) if found != wanted]
    for authority in behind:
        if wanted:
            authority.replace(zone, [wanted])
        else:
            authority.remove(zone, name, TYPE)
        if (found := authority.rrset(zone, name, TYPE)) != wanted:
            raise VerificationError.build(
                f"DNS authority {authority.name} does not show the record of keys that it accepted",
                expected=str(wanted or "nothing"),
                found=str(found or "nothing"),
                action="look at that authority; then repeat, which is safe",
            )


def endorse(zone: str, key: ZoneKey, before: ZoneKey, private: EllipticCurvePrivateKey) -> Endorsement:
    """Return that a key was made by who has the one before.

    Args:
        zone: fully qualified.
        key: the new one.
        before: the present one.
        private: its private half.
    """
    signature = private.sign(_text(zone, key.dnskey), ECDSA(SHA256()))
    return Endorsement(key.dnskey, before.tag, base64.b64encode(signature).decode())


def _signed(made: Endorsement, zone: str, by: str) -> bool:
    key = ZoneKey(by)
    if key.tag != made.tag or int(key.rdata.algorithm) != ALGORITHM_NUMBER:
        return False
    try:
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + key.rdata.key)
        public.verify(base64.b64decode(made.signature), _text(zone, made.dnskey), ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _text(zone: str, dnskey: str) -> bytes:
    return f"a key that a roll made for {zone}\n{dnskey}".encode()


def _is_key(dnskey: str) -> bool:
    try:
        return bool(ZoneKey(dnskey).rdata)
    except ZoneKeyError:
        return False
