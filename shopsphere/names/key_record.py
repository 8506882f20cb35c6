"""What all see of a zone's keys, in a record of the zone itself: which were retired, and which were made in a roll.

Files of one machine do not say it to another one, and the state of a stack learns of a roll with the next deployment. A
key that was made in a roll is there with a signature of the key before it, and one that was retired with a signature
of the key that stayed, so that nobody who only may write to an authority can add or retire one. Each authority holds
the record; together they know what any of them knows.
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
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.zone_keys import ALGORITHM_NUMBER, ZoneKey, ZoneKeyError

TYPE = "TXT"
_LABEL, _TTL_SECONDS = "_zone-keys", 60
_KEY = r"(?P<{}>\d+ \d+ \d+ [A-Za-z0-9+/=]+)"
_BY = r"by (?P<tag>\d+) (?P<signature>[A-Za-z0-9+/=]+)"
_RETIRED = re.compile(rf'"retired {_KEY.format("key")}(?: {_BY})?"')
_ENDORSED = re.compile(rf'"made {_KEY.format("key")} {_BY}"')
_MADE, _ENDED = "a key that a roll made for", "a key that was retired in"
"""What a signature is of begins so: one of a key that was made says nothing of a key that was retired."""
LINES, LINE_CHARACTERS = 100, 600
"""Bounds on a record. A roll leaves two lines; a name of DNS holds 64 KiB, and longer lines are none of ours."""


@dataclass(frozen=True, order=True)
class Endorsement:
    """What who had another key says of a key: that it was made, or retired.

    Attributes:
        dnskey: the key.
        tag: of the other one.
        signature: by that key, in base64.
    """

    dnskey: str
    tag: int
    signature: str


@dataclass(frozen=True)
class KeyRecord:
    """What one authority knows, or several together.

    Attributes:
        retired: DNSKEYs that are said to be retired; by itself such a line proves nothing.
        made: in rolls.
        ended: those of the retired ones for which a key is said to have signed.
    """

    retired: frozenset[str] = frozenset()
    made: frozenset[Endorsement] = frozenset()
    ended: frozenset[Endorsement] = frozenset()

    @classmethod
    def of(cls, rrset: RRset | None) -> KeyRecord:
        """Return what a record says; lines of another shape say nothing, and nor does one that `is_flooded`."""
        lines = rrset.records if rrset and not is_flooded(rrset) else ()
        retired = [found for line in lines if (found := _RETIRED.fullmatch(line)) and _is_key(found["key"])]
        made = [found for line in lines if (found := _ENDORSED.fullmatch(line)) and _is_key(found["key"])]
        return cls(
            frozenset(found["key"] for found in retired),
            frozenset(map(_endorsement, made)),
            frozenset(_endorsement(found) for found in retired if found["tag"]),
        )

    @classmethod
    def together(cls, records: Iterable[KeyRecord]) -> KeyRecord:
        """Return all that any of them says."""
        known = list(records)
        return cls(
            frozenset[str]().union(*(each.retired for each in known)),
            frozenset[Endorsement]().union(*(each.made for each in known)),
            frozenset[Endorsement]().union(*(each.ended for each in known)),
        )

    def rrset(self, zone: str) -> RRset | None:
        """Return it as authorities hold it; None where there is nothing to say."""
        lines = [f'"retired {each}"' for each in self.retired - {each.dnskey for each in self.ended}]
        lines += [f'"retired {each.dnskey} by {each.tag} {each.signature}"' for each in self.ended]
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
        return there & self._led_to(zone, there, anchors)

    def proven(
        self, zone: str, keys: Iterable[str], anchors: AbstractSet[str], retired: AbstractSet[str]
    ) -> frozenset[str]:
        """Return those keys that a known one, which is not itself retired here, says to be retired.

        Args:
            zone: fully qualified.
            keys: DNSKEYs that there are.
            anchors: DS of keys that are known here.
            retired: DNSKEYs that are known here as retired; what these say of others is not believed any more.
        """
        by = self._led_to(zone, frozenset(keys), anchors) - retired
        return frozenset(
            each.dnskey
            for each in self.ended
            if any(_signed(each, zone, key, _ENDED) for key in by if key != each.dnskey)
        )

    def is_made_by(self, zone: str, key: ZoneKey, before: ZoneKey) -> bool:
        """Whether one key says of another that it was made."""
        return any(each.dnskey == key.dnskey and _signed(each, zone, before.dnskey, _MADE) for each in self.made)

    def is_ended_by(self, zone: str, key: ZoneKey, stays: ZoneKey) -> bool:
        """Whether one key says of another that it was retired."""
        return any(each.dnskey == key.dnskey and _signed(each, zone, stays.dnskey, _ENDED) for each in self.ended)

    def _led_to(self, zone: str, there: frozenset[str], anchors: AbstractSet[str]) -> frozenset[str]:
        every = there | self.retired | {each.dnskey for each in self.made}
        found = {each for each in every if ZoneKey(each).ds(zone) in anchors}
        while more := {
            each.dnskey
            for each in self.made
            if each.dnskey not in found and any(_signed(each, zone, key, _MADE) for key in found if key != each.dnskey)
        }:
            found |= more
        return frozenset(found)


def record_name(zone: str) -> str:
    """Return the name of a zone's record, fully qualified."""
    return f"{_LABEL}.{zone}"


def is_flooded(rrset: RRset | None) -> bool:
    """Whether a record is larger than any that this project writes: somebody else did."""
    lines = rrset.records if rrset else ()
    return len(lines) > LINES or any(len(each) > LINE_CHARACTERS for each in lines)


def flooded(zone: str, names: Iterable[str]) -> ShopSphereError:
    """Return that records of keys are too large to be read.

    Args:
        zone: fully qualified.
        names: of the authorities that hold them.
    """
    told = ", ".join(sorted(names))
    return ZoneKeyError.build(
        f"the record of keys of {zone} at DNS authority {told} is larger than any that a roll writes",
        expected=f"{record_name(zone)} {TYPE} with {LINES} lines of {LINE_CHARACTERS} characters at most",
        found="more, which somebody else wrote",
        action=f"on the host of {told}: `pdnsutil delete-rrset {zone.rstrip('.')} {_LABEL} {TYPE}`, which loses "
        "nothing that another authority or the stack's state knows; ask who may deploy; then `shopsphere up edge "
        "--refresh`",
    )


def read_record(authority: DnsAuthority, zone: str) -> KeyRecord:
    """Return what an authority knows; nothing where it has no record.

    Raises:
        EdgeError: it does not answer.
        ZoneKeyError: its record is larger than any that is written here.
    """
    found = authority.rrset(zone, record_name(zone), TYPE)
    if is_flooded(found):
        raise flooded(zone, [authority.name])
    return KeyRecord.of(found)


def write_key_record(authorities: Sequence[DnsAuthority], zone: str, more: KeyRecord) -> None:
    """Let every authority know what any of them knows, and more.

    Raises:
        EdgeError: one does not answer, or refuses.
        VerificationError: one accepted it and shows something else.
        ZoneKeyError: there are more lines than are ever read.
    """
    name = record_name(zone)
    before = [each.rrset(zone, name, TYPE) for each in authorities]
    wanted = KeyRecord.together([*map(KeyRecord.of, before), more]).rrset(zone)
    large = [each.name for each, found in zip(authorities, before, strict=True) if is_flooded(found)]
    if large or is_flooded(wanted):
        raise flooded(zone, large or [each.name for each in authorities])
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
    return _said(zone, key, before, private, _MADE)


def end(zone: str, key: ZoneKey, stays: ZoneKey, private: EllipticCurvePrivateKey) -> KeyRecord:
    """Return that a key was retired, as who has another one says.

    Args:
        zone: fully qualified.
        key: that must never sign again.
        stays: a key in use.
        private: its private half.
    """
    return KeyRecord(frozenset({key.dnskey}), ended=frozenset({_said(zone, key, stays, private, _ENDED)}))


def _said(zone: str, key: ZoneKey, by: ZoneKey, private: EllipticCurvePrivateKey, words: str) -> Endorsement:
    signature = private.sign(_text(zone, key.dnskey, words), ECDSA(SHA256()))
    return Endorsement(key.dnskey, by.tag, base64.b64encode(signature).decode())


def _endorsement(found: re.Match[str]) -> Endorsement:
    return Endorsement(found["key"], int(found["tag"]), found["signature"])


def _signed(said: Endorsement, zone: str, by: str, words: str) -> bool:
    key = ZoneKey(by)
    if key.tag != said.tag or int(key.rdata.algorithm) != ALGORITHM_NUMBER:
        return False
    try:
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + key.rdata.key)
        public.verify(base64.b64decode(said.signature), _text(zone, said.dnskey, words), ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _text(zone: str, dnskey: str, words: str) -> bytes:
    return f"{words} {zone}\n{dnskey}".encode()


def _is_key(dnskey: str) -> bool:
    try:
        return bool(ZoneKey(dnskey).rdata)
    except ZoneKeyError:
        return False
