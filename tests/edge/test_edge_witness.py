"""The witness's client against three real voters."""

import threading
import time

import pytest
from edge_network import own_network
from witness_voters import ADDRESSES, Voters

from runbooks.witness import PairRecord, Phase, Witness, WitnessConflictError, WitnessUnreachableError
from shopsphere.clock import wait_until

LEASE = 4


@pytest.fixture(scope="module")
def voters(tmp_path_factory):
    with own_network(list(ADDRESSES)):
        voters = Voters(tmp_path_factory.mktemp("witness"))
        try:
            voters.start_all()
            yield voters
        finally:
            voters.stop_all()


@pytest.fixture
def witness(voters, request):
    """A pair of this test's own, at epoch 1."""
    witness = Witness(request.node.name[:60], voters.urls)
    seen = witness.see()
    assert seen.record is None
    witness.change(seen, PairRecord.first(witness.pair, "frankfurt", actor="test"))
    yield witness
    witness.close()


@pytest.mark.requirement("the witness changes only by compare-and-swap")
def test_a_change_of_what_is_no_longer_there_is_refused(witness):
    seen = witness.see()
    witness.change(seen, seen.record.changed(actor="one", reason="first", epoch=2))
    with pytest.raises(WitnessConflictError, match="changed by one"):
        witness.change(seen, seen.record.changed(actor="two", reason="second", epoch=2))
    assert witness.see().record.actor == "one"


@pytest.mark.requirement("of many who change at once, one succeeds")
def test_one_of_many_wins(witness):
    seen, outcomes = witness.see(), []

    def change(name):
        try:
            witness.change(seen, seen.record.changed(actor=name, reason="race", epoch=2))
            outcomes.append(name)
        except WitnessConflictError:
            pass

    threads = [threading.Thread(target=change, args=(f"actor-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 1
    assert witness.see().record.actor == outcomes[0]


@pytest.mark.requirement("a lease has one holder, is kept by renewing it and ends by itself")
def test_life_of_a_lease(witness):
    seen = witness.see()
    lease = witness.take_lease(seen, "frankfurt", seconds=LEASE)
    for _ in range(LEASE + 1):
        time.sleep(1)
        assert witness.renew_lease(lease)
    held = witness.see()
    assert held.lease_holder == "frankfurt"
    with pytest.raises(WitnessConflictError, match="held by frankfurt"):
        witness.take_lease(held, "dublin", seconds=LEASE)
    taken = wait_until(lambda: not witness.see().lease_holder, what="the end", seconds=3 * LEASE, interval=0.1)
    assert taken >= LEASE - 2, "it must not end early"
    assert not witness.renew_lease(lease)


@pytest.mark.requirement("a site that starts again takes over the lease that it held before")
def test_a_site_replaces_its_own_lease(witness):
    first = witness.take_lease(witness.see(), "frankfurt", seconds=60)
    second = witness.take_lease(witness.see(), "frankfurt", seconds=LEASE)
    assert first != second
    assert witness.see().lease_holder == "frankfurt"
    witness.release_lease(second)
    assert witness.see().lease_holder == ""


@pytest.mark.requirement("no epoch begins while somebody holds the lease")
def test_an_epoch_waits_for_the_lease(witness):
    lease = witness.take_lease(witness.see(), "frankfurt", seconds=60)
    seen = witness.see()
    following = seen.record.changed(actor="test", reason="failover", epoch=2, active="dublin")
    with pytest.raises(WitnessConflictError, match="lease held by frankfurt"):
        witness.change(seen, following, without_lease=True)
    witness.release_lease(lease)
    assert witness.change(seen, following, without_lease=True).record.active == "dublin"


@pytest.mark.requirement("a lease is refused to whoever decided by an older record")
def test_a_lease_needs_the_record_that_was_seen(witness):
    seen = witness.see()
    witness.change(seen, seen.record.changed(actor="test", reason="fence", phase=Phase.FENCING))
    with pytest.raises(WitnessConflictError, match="the record changed"):
        witness.take_lease(seen, "frankfurt", seconds=LEASE)


@pytest.mark.requirement("one operator at a time; the other one is told who it is")
def test_the_lock_of_runbooks(witness):
    lock = witness.lock("anna at ops since 03:00", seconds=60)
    with pytest.raises(WitnessConflictError, match="anna at ops"):
        witness.lock("ben", seconds=60)
    witness.release_lease(lock)
    witness.release_lease(witness.lock("ben", seconds=60))


@pytest.mark.requirement("the witness survives the loss of one voter, and answers nothing without a quorum")
@pytest.mark.parametrize("lost", [0, 1])
def test_loss_of_voters(voters, witness, lost):
    one, other = ADDRESSES[lost], ADDRESSES[2]
    voters.kill(one)
    try:
        voters.wait()
        seen = witness.see()
        assert witness.change(seen, seen.record.changed(actor="test", reason="lost one", epoch=2)).record.epoch == 2
        voters.kill(other)
        try:
            with pytest.raises(WitnessUnreachableError, match="no quorum"):
                witness.see()
        finally:
            voters.start(other)
    finally:
        voters.start(one)
        voters.wait()
    assert witness.see().record.epoch == 2
