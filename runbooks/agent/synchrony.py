"""Whether the ledger waits for the other site: dropped when that site is gone, restored when it is back.

The order is what safety rests on. Dropping: the witness says `sync off` first, then the ledger stops waiting; until
then a row that the other site lacks is acknowledged to nobody. Restoring: the ledger waits and is seen to wait, then
the witness says `sync on`, and the other site may be promoted again without loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from runbooks.agent.copies import CopiesSeen, CopyKeeper, Step
from runbooks.agent.patience import Patience
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock, held_since
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.witness import PairRecord, Phase, Sync, Witness

DROP_AFTER = 4.0
"""Seconds without the other site until the ledger stops waiting.

Before them PostgreSQL takes 5 s to notice a cut line (wal_sender_timeout); 15 s are allowed in all.
"""

FINDS_LEADER = 2.0
"""Seconds that the other site gets to find another instance that leads: it asks each second, over up to 0.4 s."""

RELOAD_AFTER = 5.0
"""Seconds for which PostgreSQL may do something else than its cluster is told, before it is asked to read it again.

CloudNativePG writes the settings and then has PostgreSQL read them. Where an instance starts between the two, only the
first is done, and is not done again, as the file is right: the ledger would never wait, or never stop waiting.
"""

TRUST_AFTER = 4.0
"""Seconds for which the ledger must be seen to wait: an older setting that was still on its way has arrived by then."""


@dataclass(frozen=True)
class LedgerSeen:
    """What the ledger of this site is told, and what it says, at one moment.

    Attributes:
        told: its cluster is told to wait for the other site.
        waits: PostgreSQL has loaded that setting.
        streams: the other site is connected and receives rows as they are written.
        confirms: PostgreSQL counts the other site as its synchronous standby.
        written: where this ledger's WAL ends (bytes since its beginning).
        replayed: how far of it the other site has replayed (bytes since the same).
        mark: the change of the witness's record on whose behalf the ledger was last told to wait.
        version: resource version of the cluster's document.
        leader: the instance that leads.
        doubled: several followers call themselves the other site: none of them counts as streaming or confirming.
        copies: the instances beside the leading one.
    """

    told: bool
    waits: bool
    streams: bool
    confirms: bool
    written: int
    replayed: int
    mark: str
    version: str
    leader: str = ""
    doubled: bool = False
    copies: CopiesSeen = field(default_factory=CopiesSeen)


class Move(Enum):
    """The next thing to do."""

    NOTHING = "nothing"
    ADMIT = "the witness is to say that the ledger may be ahead"
    RELEASE = "the ledger is to stop waiting"
    REQUIRE = "the ledger is to wait"
    CONFIRM = "the witness is to say that nothing would be lost"
    RELOAD = "PostgreSQL is to read its settings again: it does not do what its cluster is told"


def next_move(
    record: PairRecord, seen: LedgerSeen, *, away: float, waiting: float, goal: int | None, steady: bool = True
) -> Move:
    """Return the next thing to do.

    Args:
        record: the witness's.
        seen: the ledger.
        away: seconds for which the other site has been seen not to stream.
        waiting: seconds for which the ledger has been seen to wait, on behalf of this very record.
        goal: where the ledger's WAL ended a look ago, if writes were open then. Told to wait for a site that has not
            replayed it, every payment would stand still until it has. After a change of role it first streams the old
            timeline, from the beginning of a segment; only what lies beyond the end of that says that it has the new.
        steady: it has streamed for as long as is asked of who was let go again and again.
    """
    if record.sync is Sync.ON:
        return Move.NOTHING if seen.waits and away < DROP_AFTER else Move.ADMIT
    if not seen.streams:
        return Move.RELEASE if seen.told and away >= DROP_AFTER else Move.NOTHING
    if not seen.told:
        # While PostgreSQL still waits, an earlier release has not reached it, and could undo the order to wait.
        settled = not seen.waits and goal is not None and seen.replayed >= goal
        return Move.REQUIRE if settled and steady else Move.NOTHING
    if seen.mark != record.change:
        return Move.REQUIRE  # a release that is still on its way to the API names an older version, and is refused
    return Move.CONFIRM if waiting >= TRUST_AFTER else Move.NOTHING


class Ledger(Protocol):
    """The ledger's cluster at this site."""

    def look(self) -> LedgerSeen:
        """Ask the API and PostgreSQL; raises ShopSphereError when either does not answer."""

    def let_go(self) -> None:
        """Hold no session until the next look."""

    def release(self, version: str) -> None:
        """Tell the ledger not to wait, if its document still has this version; raises ShopSphereError otherwise."""

    def require(self, mark: str) -> None:
        """Tell the ledger to wait, on behalf of the change `mark`; raises ShopSphereError when that fails."""

    def reload(self) -> None:
        """Have PostgreSQL read its settings again; raises ShopSphereError when that fails."""

    def change_copies(self, step: Step) -> None:
        """Take a step about the instances beside, if the document is as it was looked at; raises ShopSphereError."""

    def node_of(self, instance: str) -> str:
        """Return the node of an instance; raises ShopSphereError."""


def _why_off(seen: LedgerSeen) -> str:
    """Return why the witness is told that the other site may lack payments."""
    if seen.doubled:
        return "several followers call themselves the other site: one may confirm what another one lacks"
    return "the other site does not stream" if seen.waits else "the ledger does not wait for the other site"


class SynchronyKeeper:
    """Keeps ledger and witness in step while this site is the active one; used by one thread.

    Args:
        actor: who signs at the witness.
        witness: the pair's.
        ledger: of this site.
        clock: replaceable in tests.
        is_shut: whether a further node of the site is known to have no lease, so that nobody reaches what is there.
    """

    def __init__(
        self,
        actor: str,
        witness: Witness,
        ledger: Ledger,
        clock: Clock = SYSTEM_CLOCK,
        is_shut: Callable[[str], bool] = lambda _node: False,
    ) -> None:
        self._actor, self._witness, self._ledger, self._clock = actor, witness, ledger, clock
        self._is_shut, self._patience = is_shut, Patience(clock)
        self._away_since: float | None = None
        self._waiting_since: float | None = None
        self._differing_since: float | None = None
        self._goal: int | None = None
        self._led = "", 0.0  # which instance led, and when it was asked last
        self._copies = CopyKeeper(clock)
        self._unsaid = ""
        self.done: tuple[str, ...] = ()
        """What the last look has changed, for the log."""

    def forget(self) -> None:
        """Start to count anew and let the session go: writes are not open here."""
        self._pause()
        self._copies.forget()
        self._patience.forget()
        self._ledger.let_go()

    def _pause(self) -> None:
        self._away_since = self._waiting_since = self._differing_since = self._goal = None
        self._led = "", 0.0

    def keep(self, record: PairRecord) -> Move:
        """Look, do the next thing, and return it.

        The instances beside are looked after in the same look, unless the ledger has just been told something else.

        Raises:
            ShopSphereError: the ledger, the API or the witness did not answer; nothing may be concluded.
        """
        self.done, self._unsaid = (), ""
        seen, now = self._ledger.look(), self._clock.monotonic()
        if self._leads_shut_off(seen):
            self._pause()
            self._copies.pause()
            return Move.NOTHING
        self._away_since = held_since(self._lost_since(seen, now), now, holds=not seen.streams)
        waits = seen.told and seen.waits and seen.confirms and seen.mark == record.change
        self._waiting_since = held_since(self._waiting_since, now, holds=waits)
        away = now - self._away_since if self._away_since is not None else 0.0
        waiting = now - self._waiting_since if self._waiting_since is not None else 0.0
        steady = self._patience.look(told=seen.told, streams=seen.streams)
        move = next_move(record, seen, away=away, waiting=waiting, goal=self._goal, steady=steady)
        gone = self._copies_are_gone(seen.copies)
        step = self._copies.look(seen.copies, written=seen.written, goal=self._goal, gone=gone)
        self._goal = seen.written
        if self._has_differed(seen, now) and move is Move.NOTHING:
            move = Move.RELOAD
        try:
            has_told = self._take(move, record, seen)
        except ShopSphereError:
            if step is Step.LEAVE:  # the witness has no part in that, and payments stand still until it is done
                self._ledger.change_copies(step)
                self.done = (step.value,)
            raise
        self.done = (*filter(None, [self._unsaid]), *((move.value,) if move is not Move.NOTHING else ()))
        if not has_told and step is not Step.NOTHING:
            self._ledger.change_copies(step)
            self.done += (step.value,)
        return move

    def _leads_shut_off(self, seen: LedgerSeen) -> bool:
        """Whether nobody reaches the instance that leads, as its node is shut: then others are away because of that.

        To go on without them would win nothing, and who has every payment now would not be known to have it any more.
        """
        all_there = seen.streams and (seen.copies.all_stream or not seen.copies.told)
        if all_there or seen.told != seen.waits or seen.copies.differ:
            return False
        try:
            return self._is_shut(self._ledger.node_of(seen.leader))
        except ShopSphereError as error:  # payments must not stand still for that
            self._unsaid = f"on which node the ledger is led cannot be told: {one_line(error)}"
        return False

    def _lost_since(self, seen: LedgerSeen, now: float) -> float | None:
        """Return since when the other site may be away; after the loss of the leader's node, since that was asked last.

        It has received nothing since then, nobody could ask, and it has to find the new leader first.
        """
        before, asked = self._led
        self._led = seen.leader, now
        if before in ("", seen.leader) or self._away_since is not None:
            return self._away_since
        try:
            is_lost = self._is_shut(self._ledger.node_of(before))
        except ShopSphereError:
            return None
        return max(asked, now - (DROP_AFTER - FINDS_LEADER)) if is_lost else None

    def _copies_are_gone(self, seen: CopiesSeen) -> bool:
        """Whether each instance beside that does not stream is on a node that is shut: none is back within seconds."""
        missing = seen.names - seen.streaming
        if not seen.told or not missing:
            return False
        try:
            return all(self._is_shut(self._ledger.node_of(each)) for each in sorted(missing))
        except ShopSphereError:
            return False  # they are waited for as long as any other

    def _take(self, move: Move, record: PairRecord, seen: LedgerSeen) -> bool:
        """Do what `move` says; return whether the ledger was told something."""
        match move:
            case Move.ADMIT | Move.RELEASE:
                # Sign even if the record says `off` already: a release whose answer is lost may arrive much later, and
                # is refused then only because a newer change of the record has made the ledger wait anew.
                if self._sign(record, Sync.OFF, _why_off(seen)) and seen.told and not seen.streams:
                    self._ledger.release(seen.version)
                    return True
            case Move.REQUIRE:
                self._ledger.require(record.change)
                return True
            case Move.CONFIRM:
                self._sign(record, Sync.ON, "the ledger confirms at both sites")
            case Move.RELOAD:
                self._ledger.reload()
            case Move.NOTHING:
                pass
        return False

    def _has_differed(self, seen: LedgerSeen, now: float) -> bool:
        """Whether PostgreSQL has not done what its cluster is told for too long; then it is counted anew."""
        differs = seen.told != seen.waits or seen.copies.differ
        self._differing_since = held_since(self._differing_since, now, holds=differs)
        if self._differing_since is None or now - self._differing_since < RELOAD_AFTER:
            return False
        self._differing_since = now
        return True

    def _sign(self, record: PairRecord, sync: Sync, reason: str) -> bool:
        """Write `sync` into the record; return False if it has changed since, or if the pair is being moved."""
        seen = self._witness.see()
        still = seen.record is not None and seen.record.change == record.change
        if not still or record.phase is not Phase.STEADY:
            return False
        self._witness.change(seen, record.changed(actor=self._actor, reason=reason, sync=sync))
        return True
