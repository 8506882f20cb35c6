"""One roll of the zone's key: old and new sign everything, until nobody can know of the old one any more.

A resolver has three things in its cache, each as old as its TTL allows: the parent's DS, the zone's keys, and answers
with their signatures. Any mix of them has to fit. So first both keys sign, and what is cached without the new one runs
out; then the parent vouches for the new key in place of the old one, and its former DS runs out; then the old key goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from runbooks.engine import BlockedError, LaterError
from runbooks.zone_roll.memory import Memory
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.key_record import KeyRecord, end, endorse, read_record, record_name, write_key_record
from shopsphere.names.zone_ds import leads_alone, may_lead, unchecked
from shopsphere.names.zone_keys import (
    ZoneKey,
    discard,
    kept_keys,
    key_file,
    make_key,
    private_key,
    retire,
    retired_keys,
)
from shopsphere.names.zone_proof import Asked, Proof, Vouched, prove, shown_ds
from shopsphere.names.zone_signing import signing_keys, take_key

OLD, NEW = "old key", "new key"
"""What a run remembers: the public half of each."""
ZONE_UNTIL = "caches of the zone until"
"""What a run remembers: when no cache has an answer, or a list of keys, from before the new key."""
FIRST_DS_TTL = "TTL of the DS when the roll began"
"""What a run remembers (s): a person may change the DS before the run comes to ask for it."""
OLD_DS_TTL = "TTL of the old DS"
"""What a run remembers (s): for so long a resolver may go by the old one."""
OLD_DS_UNTIL = "caches of the parent until"
"""What a run remembers: when no resolver goes by the old one any more."""
NEW_DS_UNTIL = "caches of a new DS that was taken back until"
"""What a run that is taken back remembers: when no resolver goes by the new one any more, should it ever have been."""
RETIRED = "retired key"
"""What a run remembers, before it takes a key away: that must never sign again."""
DOCS = "docs/zone-keys.md"


@dataclass(frozen=True)
class ZoneRoll(Memory):
    """One run.

    Attributes:
        zone: fully qualified.
        authorities: all of the zone, asked as who may deploy.
        servers: addresses of the zone's name servers.
        parents: addresses of the parent zone's name servers.
        folder: where private halves of keys are kept.
        asked: answers that are checked at each name server.
    """

    zone: str
    authorities: Sequence[DnsAuthority]
    servers: tuple[IPv4Address, ...]
    parents: tuple[IPv4Address, ...]
    folder: Path
    asked: tuple[Asked, ...]

    def key(self, which: str) -> ZoneKey:
        """Return the old or the new key.

        Raises:
            LaterError: this run has not got so far.
        """
        dnskey = self.recall(which)
        if not dnskey:
            raise LaterError(f"the {which} is not chosen yet")
        return ZoneKey(dnskey)

    def held(self) -> dict[str, frozenset[str]]:
        """Return the DNSKEYs that each authority signs with, by its name; raises EdgeError when one is silent."""
        found = at_each(list(self.authorities), lambda each: signing_keys(each, self.zone))
        return {each.name: keys for each, keys in zip(self.authorities, found, strict=True)}

    def there(self) -> dict[str, frozenset[str]]:
        """Return all DNSKEYs that each authority holds, also those that do not sign: they are published, or may be."""
        found = at_each(list(self.authorities), lambda each: frozenset(k.dnskey for k in each.zone_keys(self.zone)))
        return {each.name: keys for each, keys in zip(self.authorities, found, strict=True)}

    def vouched(self) -> dict[str, Vouched]:
        """Return what each server of the parent zone says.

        Raises:
            BlockedError: none is known.
            NameServerError: one does not answer.
        """
        if not self.parents:
            raise BlockedError.because(
                "nobody can be asked which keys the parent zone vouches for",
                action=f"name its servers as shopsphere:parentServers in the edge's stack file ({DOCS})",
            )
        found = at_each(list(self.parents), lambda server: shown_ds(server, self.zone))
        return {str(server): each for server, each in zip(self.parents, found, strict=True)}

    def parents_show(self, key: ZoneKey) -> bool:
        """Whether every server of the parent zone vouches for a key, and for no other, by digests that all check."""
        return all(leads_alone(each.ds, self.zone, key) for each in self.vouched().values())

    def proofs(self, keys: Sequence[ZoneKey]) -> dict[str, Proof]:
        """Check every name server's answers, as a resolver does whose parent vouches for these keys.

        Raises:
            NameServerError: one does not answer.
            ProofError: an answer is not proven.
        """
        ds = [each.ds(self.zone) for each in keys]
        found = at_each(list(self.servers), lambda server: prove(server, self.zone, ds, self.asked))
        return {str(server): each for server, each in zip(self.servers, found, strict=True)}

    def longest_ttl(self) -> int:
        """Return how long anybody may keep an answer of the zone (s)."""
        ttls = [rrset.ttl for each in self.authorities for rrset in each.rrsets(self.zone) or ()]
        return max([*ttls, *(each.ttl for each in self.proofs([self.key(OLD), self.key(NEW)]).values())])

    def is_kept(self, key: ZoneKey) -> bool:
        """Whether the private half of a key is on this machine; raises ZoneKeyError where a file is no key."""
        return key.dnskey in kept_keys(self.folder)

    def record(self) -> KeyRecord:
        """Return what the authorities know together of its keys; raises EdgeError when one is silent."""
        return KeyRecord.together(self._records())

    def retired(self) -> frozenset[str]:
        """Return the DNSKEYs that must never sign again: this machine knows it, or a key of it says so in the record.

        Raises:
            BlockedError: the record says so of a key that is there, or has a file here, and nothing proves it.
        """
        here, own, there = retired_keys(self.folder), kept_keys(self.folder).keys(), self.there()
        record, held = self.record(), frozenset[str]().union(*there.values())
        anchors = {ZoneKey(each).ds(self.zone) for each in own - here}
        gone = here | record.proven(self.zone, held | own, anchors, here)
        if false := (record.retired - gone) & (held | own):
            tags = ", ".join(str(ZoneKey(each).tag) for each in sorted(false))
            where = ", ".join(each.name for each in self.authorities if read_record(each, self.zone).retired & false)
            raise BlockedError.because(
                f"the zone's own record at {where} says that key {tags} was retired, which is in use, or has a file in "
                f"{self.folder}; no earlier roll of this machine says so, and no key that stayed",
                action=f"if somebody else wrote it: remove {record_name(self.zone)} TXT there, and ask who may "
                f"deploy; if the key was retired, roll on the machine that did it, or move its file away ({DOCS})",
            )
        return gone

    def is_discarded(self, key: ZoneKey) -> bool:
        """Whether a key is known as retired, here and at every authority, and not on this machine."""
        known = [retired_keys(self.folder), *(each.retired for each in self._records())]
        return all(key.dnskey in each for each in known) and not self.is_kept(key)

    def _records(self) -> list[KeyRecord]:
        return at_each(list(self.authorities), lambda each: read_record(each, self.zone))

    def tell_new_key(self) -> None:
        """Let everybody know that the new key is one of a roll: the old one says so, where its file is here.

        Raises:
            EdgeError: an authority does not answer.
        """
        old, new = self.key(OLD), self.key(NEW)
        if file := kept_keys(self.folder).get(old.dnskey):
            # A signature is another one each time: one is enough.
            is_known = self.record().is_made_by(self.zone, new, old)
            fresh = set() if is_known else {endorse(self.zone, new, old, private_key(file))}
            write_key_record(self.authorities, self.zone, KeyRecord(made=frozenset(fresh)))

    def make_new_key(self) -> None:
        """Make the key of this run: it is in the run's record before its file is there."""
        make_key(self.folder, lambda key: self.remember(NEW, key.dnskey))

    def withdraw(self, key: ZoneKey, *, stays: ZoneKey) -> None:
        """Take a key away for good, here and at one authority after the other; first it is known as retired.

        The key that stays says so, where its file is here: other machines believe no other line.

        Raises:
            ZoneKeyError: an authority does not sign with the key that stays.
        """
        self.remember(RETIRED, key.dnskey)
        retire(self.folder, key)
        told = KeyRecord(retired=retired_keys(self.folder))
        file = kept_keys(self.folder).get(stays.dnskey)
        if file and not self.record().is_ended_by(self.zone, key, stays):
            told = KeyRecord.together([told, end(self.zone, key, stays, private_key(file))])
        write_key_record(self.authorities, self.zone, told)
        for authority in self.authorities:
            take_key(authority, self.zone, key, stays=stays)
        discard(self.folder, key)

    def require_alone(self) -> None:
        """Refuse to go on where authorities hold a key that this run knows nothing of.

        Raises:
            BlockedError: somebody else rolls the zone's key too, or an old store came back; or the zone's record says
                of a key that it was retired, and nothing proves it.
        """
        self.retired()
        own = {self.recall(OLD), self.recall(NEW)} if self.recall(OLD) else set[str]()
        told = [f"{ZoneKey(each).tag} at {name}" for name, keys in self.there().items() for each in sorted(keys - own)]
        if own and told:
            raise BlockedError.because(
                f"there are keys that are none of this roll: {', '.join(told)}; somebody else rolls the key too, or "
                "an authority came back with an old store",
                action="ask who else rolls: one of the two goes on, the other is taken back with `zone roll --abort`; "
                f"a retired key goes with `shopsphere up edge --refresh` ({DOCS})",
            )

    def require_forward(self) -> None:
        """Refuse to go on with a roll whose new key is being taken away.

        Raises:
            BlockedError: only the way back is left.
        """
        if self.recall(NEW) and self.recall(RETIRED) == self.recall(NEW):
            raise BlockedError.because(
                f"this roll is being taken back: key {self.key(NEW).tag} is retired",
                action="finish that with `shopsphere zone roll --abort --execute`, then roll again",
            )

    def require_way_back(self) -> dict[str, Vouched]:
        """Refuse to take the new key away where the parent leads to it, or an authority has not got the old one.

        Returns:
            What each server of the parent zone says.

        Raises:
            BlockedError: only the way forward is left, or a person has to put the old DS back first.
        """
        old, found = self.key(OLD), self.vouched()
        if any(may_lead(each.ds, self.zone, old) for each in found.values()):
            self.wait_anew(OLD_DS_UNTIL)  # caches have the old one anew, should this roll go forward again
        led = {
            server: each
            for server, each in found.items()
            if self.recall(NEW) and may_lead(each.ds, self.zone, self.key(NEW))
        }
        if led:
            self.wait_anew(NEW_DS_UNTIL)  # caches have it anew
            raise BlockedError.because(
                f"the parent zone shows the new key {self.key(NEW).tag} at {told(led)}: without it every answer "
                "counts as forged",
                action="go forward with `shopsphere zone roll --execute`; or put the old DS back at the registrar, "
                f"{self.zone} IN DS {old.ds(self.zone)}, and no other, and call this command again",
            )
        without = [name for name, keys in self.held().items() if old.dnskey not in keys]
        if without or old.dnskey in self.retired():
            raise BlockedError.because(
                f"the old key {old.tag} is retired, or does not sign at {', '.join(without) or 'any authority'}",
                action=f"`shopsphere up edge --refresh` brings it back; if it is retired, go forward ({DOCS})",
            )
        return found

    def require_nowhere(self, key: ZoneKey) -> None:
        """Refuse to make another key while one is known outside whose file is lost.

        Raises:
            BlockedError: says which file, and the ways out.
        """
        places = [name for name, keys in self.held().items() if key.dnskey in keys]
        places += [server for server, each in self.vouched().items() if may_lead(each.ds, self.zone, key)]
        if places:
            raise BlockedError.because(
                f"the file of the new key {key.tag} is lost: {key_file(self.folder, key)}; the key is at "
                f"{', '.join(places)}",
                action="bring the file back from a copy, and call the same command again; or take the roll back: "
                f"`shopsphere zone roll --abort`, as long as the parent shows the old DS ({DOCS})",
            )


def told(found: Mapping[str, Vouched]) -> str:
    """Return what servers of the parent zone show, and which of it resolvers do not all go by."""
    shown = "; ".join(f"{server}: {', '.join(sorted(each.ds)) or 'none'}" for server, each in found.items())
    weak = unchecked(ds for each in found.values() for ds in each.ds)
    return f"{shown} ({weak})" if weak else shown


def registrar_words(roll: ZoneRoll, found: Mapping[str, Vouched]) -> str:
    """Return what a person has to do at the registrar, and what is shown now."""
    return f"{roll.zone} IN DS {roll.key(NEW).ds(roll.zone)}, and no other; now {told(found)}"
