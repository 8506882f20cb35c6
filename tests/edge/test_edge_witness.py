"""The witness's client against three real voters."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from present import present
from witness_voters import ADDRESSES, Voters, started_voters

from shopsphere.clients.watch import Watch
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import LockLostError, PairRecord, Phase, Witness, WitnessConflictError, WitnessUnreachableError
from shopsphere.witness.seen import Seen
from shopsphere.witness.users import ROOT

LEASE = 8


def take(witness: Witness, seen: Seen, site: str, *, seconds: int = LEASE) -> int:
    lease = witness.prepare_lease(seconds=seconds)
    witness.take_lease(seen, site, lease)
    return lease


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    with started_voters(tmp_path_factory.mktemp("witness")) as started:
        yield started


@pytest.fixture
def witness(voters: Voters, request: pytest.FixtureRequest) -> Iterator[Witness]:
    """A pair of this test's own, at epoch 1."""
    witness = voters.witness(pair=request.node.name[:60])
    seen = witness.see()
    assert seen.record is None
    witness.change(seen, PairRecord.first(witness.pair, "frankfurt", actor="test"))
    yield witness
    witness.close()


@pytest.mark.requirement("the witness changes only by compare-and-swap")
def test_a_change_of_what_is_no_longer_there_is_refused(witness: Witness) -> None:
    seen = witness.see()
    witness.change(seen, present(seen.record).changed(actor="one", reason="first", epoch=2))
    with pytest.raises(WitnessConflictError, match="changed by one"):
        witness.change(seen, present(seen.record).changed(actor="two", reason="second", epoch=2))
    assert present(witness.see().record).actor == "one"


@pytest.mark.requirement("of many who change at once, one succeeds")
def test_one_of_many_wins(witness: Witness) -> None:
    seen, outcomes = witness.see(), []

    def change(name: str) -> None:
        try:
            witness.change(seen, present(seen.record).changed(actor=name, reason="race", epoch=2))
            outcomes.append(name)
        except WitnessConflictError:
            pass

    threads = [threading.Thread(target=change, args=(f"actor-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 1
    assert present(witness.see().record).actor == outcomes[0]


@pytest.mark.requirement("a lease has one holder, is kept by renewing it and ends by itself")
def test_life_of_a_lease(witness: Witness) -> None:
    seen = witness.see()
    lease = take(witness, seen, "frankfurt", seconds=LEASE)
    for _ in range(LEASE + 1):
        time.sleep(1)
        renewed = time.monotonic()
        assert witness.renew_lease(lease)
    held = witness.see()
    assert LEASE - 1 <= witness.seconds_left(held) <= LEASE
    assert held.lease_holder == "frankfurt"
    moved = witness.change(held, present(held.record).changed(actor="test", reason="test", epoch=2, active="dublin"))
    with pytest.raises(WitnessConflictError, match="found:    frankfurt"):
        take(witness, moved, "dublin", seconds=LEASE)
    wait_until(lambda: not witness.see().lease_holder, what="the end", seconds=60, interval=0.1)
    assert time.monotonic() - renewed >= LEASE - 0.5, "it must not end early"
    assert not witness.renew_lease(lease)


@pytest.mark.requirement("a site that starts again takes over the lease that it held before")
def test_a_site_replaces_its_own_lease(witness: Witness) -> None:
    first = take(witness, witness.see(), "frankfurt", seconds=60)
    second = take(witness, witness.see(), "frankfurt", seconds=LEASE)
    assert first != second
    assert witness.see().lease_holder == "frankfurt"
    witness.release_lease(second)
    assert witness.see().lease_holder == ""


@pytest.mark.requirement("no epoch begins while somebody holds the lease")
def test_an_epoch_waits_for_the_lease(witness: Witness) -> None:
    lease = take(witness, witness.see(), "frankfurt", seconds=60)
    seen = witness.see()
    following = present(seen.record).changed(actor="test", reason="failover", epoch=2, active="dublin")
    with pytest.raises(WitnessConflictError, match="lease held by frankfurt"):
        witness.change(seen, following, without_lease=True)
    witness.release_lease(lease)
    assert present(witness.change(seen, following, without_lease=True).record).active == "dublin"


@pytest.mark.requirement("a lease is refused to whoever decided by an older record")
def test_a_lease_needs_the_record_that_was_seen(witness: Witness) -> None:
    seen = witness.see()
    witness.change(seen, present(seen.record).changed(actor="test", reason="fence", phase=Phase.FENCING))
    with pytest.raises(WitnessConflictError, match="another record"):
        take(witness, seen, "frankfurt", seconds=LEASE)


@pytest.mark.requirement("a lease that has ended gives nobody the right to write")
def test_a_prepared_lease_that_has_ended_is_no_lease(witness: Witness) -> None:
    seen, lease = witness.see(), witness.prepare_lease(seconds=60)
    witness.release_lease(lease)
    with pytest.raises(WitnessUnreachableError, match="lease not found"):
        witness.take_lease(seen, "frankfurt", lease)
    assert witness.see().lease_holder == ""


@pytest.mark.requirement("what stands in the way of a change is told with its refusal")
def test_a_refused_attempt_says_what_is_there(witness: Witness) -> None:
    seen = witness.see()
    lease = take(witness, seen, "frankfurt", seconds=60)
    following = present(seen.record).changed(actor="test", reason="failover", epoch=2, active="dublin")
    done, now = witness.attempt(seen, following, without_lease=True)
    assert (done, now.lease_holder, present(now.record).epoch) == (False, "frankfurt", 1)
    witness.release_lease(lease)
    assert witness.attempt(now, following, without_lease=True)[0]
    assert witness.attempt(now, following, without_lease=True) == (True, witness.see()), "its own change, met again"


@pytest.mark.requirement("what one voter knows was agreed on, and what it does not know yet is refused")
def test_a_glance(witness: Witness) -> None:
    seen = witness.see()
    now = witness.change(seen, present(seen.record).changed(actor="test", reason="test", epoch=2))
    wait_until(lambda: witness.glance() == now, what="the voter to have it", seconds=60, interval=0.05)
    with pytest.raises(WitnessConflictError, match="changed by test"):
        witness.change(seen, present(seen.record).changed(actor="late", reason="by an older look", epoch=2))


@pytest.mark.requirement("the voter that answers first is asked first; a hanging one is not waited for")
def test_the_fastest_voter_is_preferred(voters: Voters) -> None:
    with socket.create_server((ADDRESSES[0], 0)) as hanging:  # takes connections and never answers
        urls = [f"https://{ADDRESSES[0]}:{hanging.getsockname()[1]}", *voters.urls]
        witness = Witness("fastest", urls, voters.identity(ROOT), seconds=60)
        start = time.monotonic()
        witness.prefer_fastest()
        witness.see()
        assert time.monotonic() - start < 40, "the hanging one would be waited for for 60 s"
        witness.close()


@pytest.mark.requirement("one operator at a time; the other one is told who it is")
def test_the_lock_of_runbooks(witness: Witness) -> None:
    lock = witness.lock("anna at ops since 03:00", seconds=60)
    with pytest.raises(WitnessConflictError, match="anna at ops"):
        witness.lock("ben", seconds=60)
    witness.confirm(lock)
    witness.release_lease(lock.lease)
    with pytest.raises(LockLostError, match="none: it ran out"):
        witness.confirm(lock)
    other = witness.lock("ben", seconds=60)
    with pytest.raises(LockLostError, match="ben"):
        witness.confirm(lock)
    witness.release_lease(other.lease)


@pytest.mark.requirement("the witness takes a change from nobody who has lost the lock")
def test_a_change_names_the_lock(witness: Witness) -> None:
    seen, lock = witness.see(), witness.lock("anna", seconds=60)
    draining = present(seen.record).changed(actor="anna", reason="move", phase=Phase.DRAINING)
    done, now = witness.attempt(seen, draining, lock=lock)
    assert done
    assert witness.attempt(seen, draining, lock=lock) == (True, witness.see()), "its own change, met again"
    following = present(now.record).changed(actor="anna", reason="move", phase=Phase.STEADY, epoch=2)
    witness.release_lease(lock.lease)
    with pytest.raises(LockLostError, match="none: it ran out"):
        witness.attempt(now, following, lock=lock)
    other = witness.lock("ben", seconds=60)
    with pytest.raises(LockLostError, match="ben"):
        witness.attempt(now, following, lock=lock)
    assert witness.see().record == now.record
    assert witness.attempt(now, following, lock=other)[0]
    witness.release_lease(other.lease)


@pytest.mark.requirement("no lease is given while a pair is moved, nor to a site that is not the active one")
@pytest.mark.parametrize(("site", "phase"), [("dublin", Phase.STEADY), ("frankfurt", Phase.DRAINING)])
def test_who_gets_the_lease(witness: Witness, site: str, phase: Phase) -> None:
    seen = witness.see()
    now = witness.change(seen, present(seen.record).changed(actor="test", reason="test", phase=phase))
    with pytest.raises(WitnessConflictError, match=rf"frankfurt active, {phase}"):
        take(witness, now, site, seconds=LEASE)
    assert witness.see().lease_holder == ""


@pytest.mark.requirement("the witness survives the loss of one voter, and answers nothing without a quorum")
@pytest.mark.parametrize("lost", [0, 1])
def test_loss_of_voters(voters: Voters, witness: Witness, lost: int) -> None:
    one, other = ADDRESSES[lost], ADDRESSES[2]
    voters.kill(one)
    try:
        voters.wait()
        seen = witness.see()
        assert (
            present(
                witness.change(seen, present(seen.record).changed(actor="test", reason="lost one", epoch=2)).record
            ).epoch
            == 2
        )
        voters.kill(other)
        try:
            with pytest.raises(WitnessUnreachableError, match="no quorum"):
                witness.see()
        finally:
            voters.start(other)
    finally:
        voters.start(one)
        voters.wait()
    assert present(witness.see().record).epoch == 2


@pytest.mark.requirement("each voter tells of changes of the record and of the end of a lease")
def test_every_voter_tells_of_changes(witness: Witness, voters: Voters) -> None:
    heard = threading.Semaphore(0)
    watches = [Watch(partial(witness.follow, url), heard.release) for url in voters.urls]
    for watch in watches:
        watch.start()
    for _ in voters.urls:
        assert heard.acquire(timeout=60), "each says first that it tells from now on"
    assert not heard.acquire(timeout=0.5)
    seen = witness.see()
    witness.change(seen, present(seen.record).changed(actor="one", reason="first", epoch=2))
    for _ in voters.urls:
        assert heard.acquire(timeout=60)
    lease = take(witness, witness.see(), "frankfurt")
    for _ in voters.urls:
        assert heard.acquire(timeout=60)
    witness.release_lease(lease)
    for _ in voters.urls:
        assert heard.acquire(timeout=60)
    assert not heard.acquire(blocking=False), "nothing is told twice"
    for watch in watches:
        watch.stop()
