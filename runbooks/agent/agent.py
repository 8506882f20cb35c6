"""The agent's loops: lease, record at the witness, role of the databases, and the doors that follow from all three.

Each has a thread of its own, so that none waits for another: a record that is slow to read delays no renewal, and
however long the witness takes, the doors are closed on time. A loop looks at intervals, and when a watch wakes it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.description import description
from runbooks.agent.doors import Doors
from runbooks.agent.fence import Fence
from runbooks.agent.lease import SiteLease
from runbooks.agent.loops import Loop, is_answered
from runbooks.agent.permits import Permits, Witnessed
from runbooks.agent.proving import FenceProofs, Proof
from runbooks.agent.record_look import RecordLook
from runbooks.agent.restoring import record_to_restore
from runbooks.agent.returning import Answers
from runbooks.agent.rhythm import PROMOTION_PATIENCE, SYNCHRONY_EVERY, SYNCHRONY_SOON, VOTERS_EVERY, Rhythm
from runbooks.agent.state import Knowledge, doors, has_to_go
from runbooks.agent.synchrony import Ledger, SynchronyKeeper
from runbooks.agent.watches import Watches
from runbooks.permit import Permit
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.witness import NOT_HEARD, PairRecord, Phase, Witness, WitnessConflictError
from shopsphere.witness.seen import Seen


class Agent:
    """Holds the lease of one site and keeps its doors.

    Args:
        config: site, pair, margins.
        witness: the pair's.
        fence: takes the databases off the network.
        role: asks the cluster for the databases' role; raises ShopSphereError when it does not answer.
        leads: waits some seconds for all databases to take writes and returns whether they do; raises as `role` does.
        ledger: this site's ledger database.
        permits: what an operator laid down for the time without the witness.
        tell: gets one line per change.
        clock: replaceable in tests.
        watches: of the witness and of the databases; without them both are looked at more often.
        proof: shows that the fence has effect; a site of which that is not known is closed, and takes no lease.
    """

    def __init__(
        self,
        config: AgentConfig,
        witness: Witness,
        fence: Fence,
        role: Callable[[], Role],
        leads: Callable[[], bool],
        ledger: Ledger,
        permits: Permits,
        tell: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        watches: Watches | None = None,
        proof: Proof = lambda: None,
    ) -> None:
        self._config, self._witness, self._fence = config, witness, fence
        self._ask_role, self._ask_leads, self._permits = role, leads, permits
        self._tell, self._clock, self._watches = tell, clock, watches or Watches()
        self._rhythm = Rhythm(config.site, self._watches, clock)
        self._synchrony = SynchronyKeeper(f"agent of {config.site}", witness, ledger, clock, self._is_shut)
        self._known = Knowledge(permit=permits.kept, promoting=True, proven_until=0.0)  # until it is seen otherwise
        proofs = FenceProofs(proof, self._learn, tell, clock, refuted=self._order_again)
        self.prove_fence = proofs.prove_fence
        self._lease = SiteLease(
            witness, config.site, config.margins, lambda until: self._learn(lease_until=until), clock
        )
        self._answers = Answers(config.site, permits, tell, clock)
        self._look = RecordLook(config.site, witness, self._answers, self._learn, clock)
        self._open_until, self._promoted_at = 0.0, clock.monotonic()  # the first is what the fence was told last
        self._last = ""
        self._learning, self._moving = threading.Lock(), threading.Lock()
        self._doors = Loop(self.move_doors, self.doors_pause, tell, after_an_error=0.1)
        self._record = Loop(self.follow_record, self.record_pause, tell)
        self._databases = Loop(self.look_at_databases, self.databases_pause, tell)
        self._promotion = Loop(self.follow_promotion, lambda: self._rhythm.promotion(self._known), tell)
        self._sync = Loop(self.keep_synchrony, self._synchrony_pause, tell, after_an_error=SYNCHRONY_SOON)
        renewal = Loop(self.renew_lease, lambda: config.margins.renew_every, tell)
        voters = Loop(witness.prefer_fastest, lambda: VOTERS_EVERY, tell)
        proving = Loop(self.prove_fence, proofs.pause, tell)
        of_record = (self._record, renewal, voters)
        self._beside: tuple[Loop, ...] = (*of_record, self._databases, self._promotion, self._sync, proving)
        self.changed: Callable[[], object] = lambda: None  # called when something else is known; it must not wait

    def start_closed(self) -> None:
        """Shut the databases off before anything is known: a site that comes back may have been replaced."""
        self._fence.close()
        self.prove_fence()

    def run(self) -> None:
        """Run until `stop`, which leaves the doors as they are and does not give the lease back: it runs out."""
        for loop in self._beside:
            loop.start()
        self._watches.start(self._record.ring, self._databases.ring, self._tell)
        self._doors.run()

    def stop(self) -> None:
        """End all loops."""
        for loop in (self._doors, *self._beside):
            loop.stop()

    def doors_pause(self) -> float:
        """Return the seconds after which the doors may have to move even if nothing new is learned."""
        return self._rhythm.doors(self.doors().until)

    def record_pause(self) -> float:
        """Return the seconds after which the record is read even if no watch reports a change."""
        return self._rhythm.record(self._known, leased=self._lease.taken)

    def databases_pause(self) -> float:
        """Return the seconds after which the databases are looked at even if no watch reports a change."""
        return self._rhythm.databases(self._known)

    def doors(self) -> Doors:
        """Return what is open now."""
        return doors(self._config.site, self._known, self._clock.monotonic())

    def describe(self) -> dict[str, object]:
        """Return what is known, for people and runbooks."""
        return description(self._config.site, self._known, self._permits, self._clock.monotonic())

    def _order_again(self) -> None:
        """Tell the kernel again what is open, at the next look: it has something else than it was told."""
        with self._moving:
            self._open_until = math.nan  # equal to nothing

    def move_doors(self) -> None:
        """Open or close the fence, as `doors` decides from what is known now."""
        with self._moving:
            wanted = self.doors()
            until = wanted.until if wanted.databases else 0.0
            if until != self._open_until:
                if until:
                    self._fence.open(until - self._clock.monotonic())
                else:
                    self._fence.close()
                self._open_until = until
        if wanted.because != self._last:
            self._last = wanted.because
            shown = "open" if wanted.writes else "reading" if wanted.databases else "CLOSED"
            self._tell(f"{shown}: {wanted.because}")

    def look_at_databases(self) -> None:
        """Ask for the databases' role and for a permit; while the API is silent the last hold, a replica's for a while.

        The role changes only through that API, so it cannot change while the API is away.
        """
        # Separately: a site without databases must learn of a permit too.
        role, permit = is_answered(self._look_at_role), is_answered(lambda: self._learn(permit=self._permits.look()))
        self._rhythm.heard_of_databases(answered=role and permit)

    def _look_at_role(self) -> None:
        asked, role = self._clock.monotonic(), self._ask_role()
        if role is not self._known.role:
            self._promoted_at = self._clock.monotonic()
        until = self._known.counting_until(asked) if role is Role.REPLICA else 0.0
        self._learn(role=role, promoting=role is Role.REPLICA or self._known.promoting, follows_until=until)
        if (record := self._known.record) and has_to_go(self._config.site, self._known, record):
            self._give_back()  # a runbook waits until the lease is given back

    def follow_promotion(self) -> None:
        """Find out when databases that are told to lead take writes, and let writes through then.

        The shop would refuse writes that arrive earlier. Each refusal makes it open its database sessions anew, and
        the first requests that it could serve would wait for that.
        """
        if self._known.role is not Role.PRIMARY or not self._known.promoting:
            return
        with suppress(ShopSphereError):
            if self._ask_leads():
                self._learn(promoting=False)
        if self._clock.monotonic() - self._promoted_at > PROMOTION_PATIENCE:
            self._learn(promoting=False)  # a broken way into the pods must not keep customers away

    def keep_synchrony(self) -> None:
        """Make the ledger wait for the other site or not, and tell the witness; only while writes are open here."""
        record = self._known.record
        if record is None or not self.doors().writes:
            self._synchrony.forget()
            return
        try:
            with suppress(WitnessConflictError):  # somebody was faster: the next look decides anew
                self._synchrony.keep(record)
        finally:
            for done in self._synchrony.done:
                self._tell(f"synchrony: {done}")

    def _synchrony_pause(self) -> float:
        return SYNCHRONY_SOON if self._synchrony.done else SYNCHRONY_EVERY

    def renew_lease(self) -> None:
        """Renew the lease that is held or prepared; its time counts from before the renewal was sent."""
        had = self._lease.taken
        try:
            self._lease.renew()
        except NOT_HEARD as error:
            self._tell(f"lease: {one_line(error)}")
        if had and not self._lease.taken:
            self._record.ring()  # it may be taken anew

    def follow_record(self) -> None:
        """Read the record, then prepare the lease, take it or give it back, as the record requires."""
        try:
            seen = self._look.look(self._known)
            if seen is None:
                return
            if restored := record_to_restore(seen.record, self._permits.witnessed, self._config):
                self._replace(seen, restored)
            elif seen.record is not None:
                self._learn(record=seen.record)
                self._keep_to(seen, seen.record)
                # Last: a full disk must not keep a site from the lease, nor from giving it back.
                self._permits.remember(Witnessed(epoch=seen.record.epoch, active=seen.record.active))
        except WitnessConflictError:
            pass  # somebody was faster: the next look decides anew
        except NOT_HEARD as error:
            self._rhythm.lost_witness()
            self._tell(f"record: {one_line(error)}")

    def _keep_to(self, seen: Seen, record: PairRecord) -> None:
        """Prepare the lease, take it or give it back."""
        permit = self._permit_against(seen)
        if permit and permit.active in {self._config.site, record.active}:
            self._bring_in(permit, seen, record)
        elif permit or has_to_go(self._config.site, self._known, record):
            self._give_back()
            self._prepare(record)
        elif not self._lease.taken and record.phase is Phase.STEADY and self._may_hold():
            self._lease.take(seen)

    def _permit_against(self, seen: Seen) -> Permit | None:
        """Return the permit that stands, unless the witness gives the other site the right to write at this moment."""
        if self._answers.judge(self._known.standing_permit, seen.writer_seen_by(self._config.site)):
            self._learn(permit=self._permits.kept)
        return self._known.standing_permit

    def _bring_in(self, permit: Permit, seen: Seen, record: PairRecord) -> None:
        """Write the permit's decision to a witness that is back; refused while somebody else may write.

        A site that is barred does it too where the active site stays the same: two operators may have barred both.
        """
        self._replace(seen, permit.begun_after(record))
        self._tell(f"the witness is in epoch {permit.epoch} now, as permitted by {permit.actor}")

    def _replace(self, seen: Seen, record: PairRecord) -> None:
        """Replace the record while nobody holds a lease whose right the new record ends.

        Where this site is the active one, its own lease and those of its nodes go on to be right.
        """
        stays = self._config.site if record.active == self._config.site else ""
        if not stays:
            self._give_back()
        self._witness.change(seen, record, without_lease=True, but_of=stays)

    def _is_shut(self, node: str) -> bool:
        return self._known.shuts(self._config.site, node, self._clock.monotonic())

    def _may_hold(self) -> bool:
        """Whether a lease would open anything: the fence has effect."""
        return self._known.is_proven(self._clock.monotonic())

    def _give_back(self) -> None:
        """Close the doors first, then give the lease back to the witness."""
        lease = self._lease.stop_writing()
        self.move_doors()
        self._lease.give_back(lease)

    def _prepare(self, record: PairRecord) -> None:
        """Have a lease ready while another site is being left, so that customers wait less; drop it otherwise."""
        if record.active != self._config.site and record.phase is not Phase.STEADY and self._may_hold():
            self._lease.prepare()
        else:
            self._lease.drop_prepared()

    def _learn(self, **news: object) -> None:
        with self._learning:
            known = replace(self._known, **news)  # type: ignore[arg-type]
            same, before, self._known = known == self._known, self._known, known
        if same:
            return
        self._doors.ring()
        self.changed()
        self._promotion.ring()
        if known.record != before.record:
            self._databases.ring()  # the record decides how often the databases are looked at
            self._sync.ring()  # which lets go of its session when the databases are about to end
        if known.permit != before.permit or known.unproven != before.unproven:
            self._record.ring()  # both decide who holds the lease
