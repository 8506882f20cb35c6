"""Reading and changing a pair's record and its lease."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.belief import Belief
from shopsphere.witness.gateway import VOTER_SECONDS, UnreadableWitnessError
from shopsphere.witness.heads import AuditShelf
from shopsphere.witness.identity import Identity
from shopsphere.witness.record import PairRecord, Phase
from shopsphere.witness.seen import Seen, nodes_in
from shopsphere.witness.store import (
    Entry,
    Lock,
    LockLostError,
    Store,
    WitnessConflictError,
    has_value,
    none_beside,
    none_under,
    put,
    unchanged,
)
from shopsphere.witness.users import PairKeys
from shopsphere.witness.voter import Voter

ABSENT = 0
NOTHING = Entry("", ABSENT, 0)


class Witness:
    """The record of one pair.

    Args:
        pair: its name.
        urls: client addresses of the voters.
        identity: who asks; None where the voters take anybody.
        belief: which records count, and how they are signed; by default as `identity` can tell, from now on.
        seconds: bound on each voter's answer.
        transport: replaceable in tests.
    """

    def __init__(
        self,
        pair: str,
        urls: Sequence[str],
        identity: Identity | None = None,
        *,
        belief: Belief | None = None,
        seconds: float = VOTER_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.pair, self._keys = pair, PairKeys.of(pair)
        self._read = (self._keys.record, self._keys.lease, self._keys.nodes, self._keys.withdrawn)
        self.user = identity.user if identity else ""
        self._store = Store(urls, identity, seconds=seconds, transport=transport)
        self.audit = AuditShelf(self._store, self._keys.audit, pair)
        self.belief = belief or Belief(pair, identity)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()

    def see(self) -> Seen:
        """Return record and lease as of one revision.

        Raises:
            UnbelievedRecordError: one answered, but with a record that is not believed.
            UnreadableWitnessError: one answered, but nobody knows what it says.
            WitnessUnreachableError: no quorum answered.
        """
        known = self.belief.last
        return self._seen(self._store.read(*self._read), newest=self.belief.last is known)

    def seconds_left(self, seen: Seen) -> int:
        """Return the whole seconds until the lease that was seen ends if its site renews it no more.

        Less than 1 where it has ended, or nobody held it. Raises as `see` does.
        """
        if seen.lease_holder and not seen.lease:
            raise UnreadableWitnessError.because("the witness's lease", ValueError("it belongs to no lease of etcd's"))
        return self._store.seconds_left(seen.lease) if seen.lease else 0

    def glance(self) -> Seen:
        """Return them as one voter knows them, in a fraction of the time: agreed on, but perhaps older.

        An action that follows from it must carry a condition of its own. Raises as `see` does.
        """
        return self._seen(self._store.read(*self._read, newest=False), newest=False)

    def attempt(
        self, seen: Seen, record: PairRecord, *, without_lease: bool = False, but_of: str = "", lock: Lock | None = None
    ) -> tuple[bool, Seen]:
        """Replace the record that was `seen`; with `without_lease`, only while nobody holds the lease.

        Args:
            seen: what it was.
            record: what it is to be.
            without_lease: nobody may hold the lease, and no node of any site may have its own.
            but_of: site whose own lease, and those of its nodes, stand in the way of nothing; empty for none.
            lock: the operators', which has to be the same still; None where no operator acts.

        Returns:
            Whether it was replaced, and what is there now, as of the same revision.

        Raises:
            LockLostError: the lock is gone, or is another one.
            WitnessUnreachableError: no quorum answered; `see` tells whether the change was made.
        """
        compare: list[Mapping[str, Any]] = [unchanged(self._keys.record, seen.revision)]
        if without_lease:
            compare += self._nobody_may_write(seen, but_of)
        if lock:
            compare.append(unchanged(self._keys.runbook, lock.revision))
        (record, text), known = self.belief.seal(record), self.belief.last
        done = self._store.swap(compare, [put(self._keys.record, text)], *self._read, self._keys.runbook)
        if done.succeeded:
            self.belief.wrote(record, text)
            held = ("", ()) if without_lease and not but_of else (seen.lease_holder, seen.nodes)
            return True, Seen(record, done.revision, *held)
        now = self._seen(done.found, newest=self.belief.last is known)
        # A change whose answer was lost is repeated at the next voter and fails there, because it was made already.
        if now.record is not None and now.record.change == record.change:
            return True, now
        if lock:
            self._require_lock(lock, done.found.get(self._keys.runbook))
        return False, now

    def change(self, seen: Seen, record: PairRecord, *, without_lease: bool = False, but_of: str = "") -> Seen:
        """Replace the record as `attempt` does, and return what is there now.

        Raises:
            WitnessConflictError: the record is another one by now, or somebody holds the lease.
            WitnessUnreachableError: no quorum answered; `see` tells whether the change was made.
        """
        done, now = self.attempt(seen, record, without_lease=without_lease, but_of=but_of)
        if done:
            return now
        raise WitnessConflictError.build(
            f"the record of {self.pair} was not changed",
            expected=f"revision {seen.revision}" + (", and no lease held" if without_lease else ""),
            found=f"revision {now.revision}, changed by {now.record.actor if now.record else 'nobody'}"
            + (f", lease held by {', '.join(now.holders)}" if now.holders else ""),
            action="read the record again and decide anew",
        )

    def prepare_lease(self, *, seconds: int) -> int:
        """Return the number of a lease that gives nobody anything yet; `take_lease` makes it the one of a site."""
        return self._store.grant(seconds)

    def take_lease(self, seen: Seen, site: str, lease: int) -> None:
        """Give the active site of the record that was `seen` a prepared lease, if the pair is not being moved.

        A lease that an earlier process of the same site left is replaced: its agent fenced the site when it started.

        Raises:
            WitnessConflictError: the record that was seen gives the site no right to it, or it changed, or another site
                holds the lease.
            WitnessUnreachableError: no quorum answered, or the prepared lease has ended.
        """
        found = self._claim(self._keys.lease, site, [*self._may_write(seen, site), self._is_free(seen, site)], lease)
        if found is not None:
            raise self._not_given(
                site, "the record unchanged, nobody else having a lease", found.value or "another record, or a node's"
            )

    def renew_lease(self, lease: int) -> bool:
        """Renew; False when the lease is gone."""
        return self._store.keep_alive(lease)

    def release_lease(self, lease: int) -> None:
        """Give the lease back: from now on the other site may be promoted."""
        self._store.revoke(lease)

    def lock(self, owner: str, *, seconds: int) -> Lock:
        """Take the lock that lets one operator move the pair.

        Raises:
            WitnessConflictError: another operator has it; the message names them and since when.
        """
        return self._lock(self._keys.runbook, "moving", owner, seconds)

    def lock_rotation(self, owner: str, *, seconds: int) -> Lock:
        """Take the lock that lets one operator renew the pair's secrets; raises as `lock`, which it does not touch."""
        return self._lock(self._keys.rotation, "renewing secrets, or putting a database in place, of", owner, seconds)

    def _lock(self, key: str, doing: str, owner: str, seconds: int) -> Lock:
        lease = self._store.grant(seconds)
        done = self._store.swap([unchanged(key, ABSENT)], [put(key, owner, lease)], key)
        if done.succeeded:
            return Lock(lease, done.revision)
        found = done.found.get(key, NOTHING)
        if found.lease == lease:  # the answer was lost, and the next voter was asked the same
            return Lock(lease, found.revision)
        self._store.revoke(lease)
        raise WitnessConflictError.build(
            f"another run is {doing} {self.pair}",
            expected="no run",
            found=found.value or "a lock that was just given back",
            action=f"wait for it; a run that died loses its lock within {seconds} s",
        )

    def confirm(self, lock: Lock) -> None:
        """Ask the quorum whether a lock is still the one that lets its owner move the pair.

        Raises:
            LockLostError: it is gone, or is another one.
            WitnessUnreachableError: no quorum answered.
        """
        self._require_lock(lock, self.locked_by())

    def locked_by(self) -> Entry | None:
        """Return the lock's owner, or None."""
        return self._store.read(self._keys.runbook).get(self._keys.runbook)

    def rotated_by(self) -> Entry | None:
        """Return who renews the pair's secrets, or None."""
        return self._store.read(self._keys.rotation).get(self._keys.rotation)

    def each_voter(self) -> list[Voter]:
        """Return what every voter says of itself, in the order of their addresses."""
        return self._store.each_voter()

    def prefer_fastest(self) -> None:
        """Find the voter that answers first, and ask it first from now on; return when one has, or none does."""
        self._store.prefer_fastest(self._keys.record)

    def follow(self, url: str, heard: Callable[[], object]) -> None:
        """Watch record, lease and lock at one voter: call `heard` once the watch is open, and at each change.

        Raises:
            WitnessUnreachableError: the voter does not answer, or the line broke.
        """
        self._store.follow(url, self._keys.all, heard)

    def _seen(self, found: Mapping[str, Entry], *, newest: bool = True) -> Seen:
        entry, lease = found.get(self._keys.record), found.get(self._keys.lease)
        nodes, barred = nodes_in({key: each.value for key, each in found.items()}, self._keys.nodes)
        self.belief.hear(found.get(self._keys.withdrawn, NOTHING).value)
        holder, number = (lease.value, lease.lease) if lease else ("", 0)
        seen = Seen(None, entry.revision if entry else ABSENT, holder, nodes, barred, number)
        return self.belief.read(entry.value, seen, newest=newest) if entry else seen

    def _may_write(self, seen: Seen, site: str) -> list[Mapping[str, Any]]:
        """Return what has to hold so that a site may write: the record that was seen, and no other site's nodes.

        Raises:
            WitnessConflictError: the record that was seen gives the site no right to it.
        """
        known = seen.record  # that it is still this one is part of the transaction
        if known is None or known.active != site or known.phase is not Phase.STEADY:
            raise self._not_given(
                site,
                f"{site} active, {Phase.STEADY}",
                f"{known.active} active, {known.phase}" if known else "no record",
            )
        others = none_beside(self._keys.nodes, self._keys.nodes_of(site))
        return [unchanged(self._keys.record, seen.revision), *others]

    def _is_free(self, seen: Seen, site: str) -> Mapping[str, Any]:
        """Return what has to hold so that no other site than this one holds the lease; empty: nobody."""
        own = site and seen.lease_holder == site
        return has_value(self._keys.lease, site) if own else unchanged(self._keys.lease, ABSENT)

    def _nobody_may_write(self, seen: Seen, but_of: str) -> list[Mapping[str, Any]]:
        if not but_of:
            return [self._is_free(seen, ""), none_under(self._keys.nodes)]
        return [self._is_free(seen, but_of), *none_beside(self._keys.nodes, self._keys.nodes_of(but_of))]

    def _not_given(self, who: str, expected: str, found: str) -> ShopSphereError:
        return WitnessConflictError.build(
            f"{who} was not given the lease of {self.pair}",
            expected=expected,
            found=found,
            action="nothing: the agent reads the record again",
        )

    def _require_lock(self, lock: Lock, found: Entry | None) -> None:
        if found is None or found.revision != lock.revision:
            raise LockLostError.build(
                f"{self.pair}: the operators' lock is not this run's any more",
                expected="the lock that this run took",
                found=found.value if found else "none: it ran out",
                action="ask who moves the pair now; nothing was changed after the lock was lost",
            )

    def _claim(self, key: str, value: str, compare: Sequence[Mapping[str, Any]], lease: int) -> Entry | None:
        """Write a key that lives as long as a lease; return None, or what is there instead (empty: nothing)."""
        done = self._store.swap(compare, [put(key, value, lease)], key)
        return None if done.has_claimed(key, lease) else done.found.get(key, NOTHING)
