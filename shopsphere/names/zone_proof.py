"""Whether answers of a zone's name servers are what its keys signed, and what the parent zone says of these keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG

from shopsphere.clients.dns import PAYLOAD_BYTES, SENDS, NameServerError
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.names.zone_ds import leads, unchecked
from shopsphere.names.zone_keys import ZoneKey, ds_text

SECONDS = 3.0
"""Bound on an answer; the question is sent `SENDS` times within it."""
_PORT = 53
Asked = tuple[str, str]
"""Fully qualified name and type."""


class ProofError(EdgeError):
    """An answer that a resolver which checks signatures would throw away."""


@dataclass(frozen=True)
class Proof:
    """What a name server's answers were proven with.

    Attributes:
        tags: of the keys that the zone publishes.
        signers: of the keys that signed every answer.
        ends: when the first of the signatures ends (UTC).
        ttl: the longest that any of the answers may be kept (s).
    """

    tags: frozenset[int]
    signers: frozenset[int]
    ends: datetime
    ttl: int


@dataclass(frozen=True)
class Vouched:
    """What a server of the parent zone says of a zone's keys.

    Attributes:
        ds: each as `zone_keys.ds_text` writes it, whatever its digest; none where the zone counts as unsigned.
        ttl: how long that may be kept (s).
    """

    ds: frozenset[str]
    ttl: int


def shown_ds(server: IPv4Address, zone: str) -> Vouched:
    """Ask a name server of the parent zone.

    Raises:
        NameServerError: no answer, or it is no server of that zone.
    """
    answer = _ask(server, zone, "DS")
    if not answer.flags & dns.flags.AA:
        raise NameServerError(f"{server}: does not serve the zone above {zone}")
    found = [each for each in answer.answer if each.rdtype == dns.rdatatype.DS]
    known = dns.name.from_text(zone)
    said = [each.name for each in answer.authority if each.rdtype == dns.rdatatype.SOA]
    if not found and not any(known.is_subdomain(above) and known != above for above in said):
        # A fault, or a server of the zone itself: neither knows whether there is a DS.
        code = dns.rcode.to_text(answer.rcode())
        raise NameServerError(f"{server}: no answer from the zone above {zone} about its DS, but {code}")
    ds = frozenset(ds_text(each) for rrset in found for each in rrset if isinstance(each, DS))
    return Vouched(ds, max((rrset.ttl for rrset in found), default=0))


def prove(server: IPv4Address, zone: str, ds: Iterable[str], asked: Sequence[Asked]) -> Proof:
    """Check answers of a name server as a resolver does that got these DS from the parent zone.

    Args:
        server: of the zone.
        zone: fully qualified.
        ds: what the parent says.
        asked: what to ask for beside the keys.

    Raises:
        NameServerError: no answer.
        ProofError: one is not signed, or not by a key that leads to one of the DS.
    """
    keys, signatures = _signed(server, zone, zone, "DNSKEY")
    known, wanted = dns.name.from_text(zone), set(ds)
    published = [key for key in keys if isinstance(key, DNSKEY)]
    trusted = [key for key in published if leads(wanted, zone, ZoneKey.of(key))]
    if not trusted:
        own = [ZoneKey.of(key).ds(zone) for key in published]
        raise ProofError.build(
            f"{server}: no key of {zone} is one that the parent zone vouches for",
            expected=", ".join(sorted(wanted)) or "a DS",
            found="; ".join(each for each in (", ".join(own), unchecked(wanted)) if each),
            action="`shopsphere zone keys` says which DS the parent has to show (docs/zone-keys.md)",
        )
    anchors = dns.rrset.from_rdata_list(known, keys.ttl, trusted)
    _require_valid(server, keys, signatures, {known: anchors})
    ends, ttl = _end(signatures), keys.ttl
    signers = _signers(keys, signatures, {known: keys})
    for name, type_ in asked:
        rrset, signatures = _signed(server, zone, name, type_)
        _require_valid(server, rrset, signatures, {known: keys})
        signers &= _signers(rrset, signatures, {known: keys})
        ends, ttl = min(ends, _end(signatures)), max(ttl, rrset.ttl)
    return Proof(frozenset(map(dns.dnssec.key_id, published)), signers, ends, ttl)


def published_tags(server: IPv4Address, zone: str) -> frozenset[int]:
    """Return the tags of the keys that a name server shows for a zone; none where it is not signed.

    Raises:
        NameServerError: no answer.
    """
    answer = _ask(server, zone, "DNSKEY")
    return frozenset(dns.dnssec.key_id(each) for rrset in answer.answer for each in rrset if isinstance(each, DNSKEY))


def _signed(server: IPv4Address, zone: str, name: str, type_: str) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    answer = _ask(server, name, type_)
    known, kind = dns.name.from_text(name), dns.rdatatype.from_text(type_)
    rrset = answer.get_rrset(answer.answer, known, dns.rdataclass.IN, kind)
    signatures = answer.get_rrset(answer.answer, known, dns.rdataclass.IN, dns.rdatatype.RRSIG, kind)
    if rrset is None or signatures is None:
        raise ProofError.build(
            f"{server}: {name} {type_} in {zone} has no answer with a signature",
            expected="both",
            found=f"{'an' if rrset else 'no'} answer, {'a' if signatures else 'no'} signature",
            action="`shopsphere drift edge` says what differs; `shopsphere up edge --refresh` signs the zone",
        )
    return rrset, signatures


def _require_valid(
    server: IPv4Address,
    rrset: dns.rrset.RRset,
    signatures: dns.rrset.RRset,
    keys: Mapping[dns.name.Name, dns.rrset.RRset],
) -> None:
    try:
        dns.dnssec.validate(rrset, signatures, dict(keys))
    except dns.exception.ValidationFailure as error:
        raise ProofError.build(
            f"{server}: {rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} is not what the zone's keys signed",
            expected="a signature that is valid now, by a key that leads to a DS of the parent",
            found=str(error),
            action="is the server's clock right? else `shopsphere zone keys`, and docs/zone-keys.md",
        ) from error


def _signers(
    rrset: dns.rrset.RRset, signatures: dns.rrset.RRset, keys: Mapping[dns.name.Name, dns.rrset.RRset]
) -> frozenset[int]:
    """Return the tags of the keys whose signatures are valid."""
    found = set()
    for each in signatures:
        if isinstance(each, RRSIG):
            try:
                dns.dnssec.validate_rrsig(rrset, each, dict(keys))
            except dns.exception.ValidationFailure:
                continue
            found.add(each.key_tag)
    return frozenset(found)


def _end(signatures: dns.rrset.RRset) -> datetime:
    return datetime.fromtimestamp(min(each.expiration for each in signatures if isinstance(each, RRSIG)), UTC)


def _ask(server: IPv4Address, name: str, type_: str) -> dns.message.Message:
    question = dns.message.make_query(name, type_, want_dnssec=True, payload=PAYLOAD_BYTES)
    question.flags &= ~dns.flags.RD
    problem: Exception | None = None
    for _ in range(SENDS):
        try:
            answer, _ = dns.query.udp_with_fallback(question, str(server), timeout=SECONDS / SENDS, port=_PORT)
        except dns.exception.Timeout as error:
            problem = error
        except (OSError, dns.exception.DNSException) as error:
            problem = error
            break
        else:
            return answer
    raise NameServerError(f"{server}: no answer to {name} {type_} within {SECONDS:g} s ({problem})") from problem
