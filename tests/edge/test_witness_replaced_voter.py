"""A voter is lost with its disk for good, and replaced with the documented command, while agents and operators work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from leased_site import both_sites
from present import present
from seated_voters import ANNA, ASHBURN, NEWYORK, PAIR, SEATS, SINGAPORE, SeatedVoters, seated_voters

from cli.main import run
from runbooks.readiness.p07_witness import judge
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.finding import Verdict
from shopsphere.witness import Voter, Witness
from shopsphere.witness.gateway import WitnessUnreachableError
from shopsphere.witness.keys import withdraw
from shopsphere.witness.operators import acting_as
from shopsphere.witness.publishing import publish_withdrawn
from shopsphere.witness.store import put
from shopsphere.witness.users import ROOT, WATCHER
from shopsphere.witness.voter_start import QUOTA_BYTES

REPLACE = ["witness", "replace", PAIR.name, "--voter"]
RECORD, LEASE, WITHDRAWN = (f"/shopsphere/{PAIR.name}/{each}" for each in ("record", "lease", "withdrawn"))
pytestmark = pytest.mark.requirement("a voter that is lost for good is replaced, and nobody notices")


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeatedVoters]:
    with seated_voters(tmp_path_factory.mktemp("replaced")) as started:
        yield started


class Writer:
    """An operator who changes the record all the time: each change has a number, and none may be lost."""

    def __init__(self, witness: Witness) -> None:
        self._witness, self._ended = witness, threading.Event()
        self.taken, self.problems = list[str](), list[str]()

    def write(self) -> None:
        number = 0
        while not self._ended.wait(0.05):
            number += 1
            try:
                seen = self._witness.see()
                changed = present(seen.record).changed(actor=acting_as(ANNA), reason=f"change {number}")
                if self._witness.attempt(seen, changed)[0]:
                    self.taken.append(changed.reason)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
                self.problems.append(f"{number}: {error}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        thread = threading.Thread(target=self.write, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(60)
            self._witness.close()


def held(voters: SeatedVoters) -> int:
    """Return the number of the lease that the active site holds; 0 for none."""
    with closing(voters.store(WATCHER)) as store:
        found = store.read(LEASE).get(LEASE)
        return found.lease if found else 0


def looked_at(voters: SeatedVoters) -> dict[str, Voter]:
    with closing(voters.witness(WATCHER)) as watcher:
        found = {each.url: each for each in watcher.each_voter()}
    return {seat: found[voters.url(seat)] for seat in SEATS}


def judged(voters: SeatedVoters) -> tuple[Verdict, str]:
    """What P7 of `ready` says of the voters."""
    found = judge(list(looked_at(voters).values()), {})
    return found.verdict, found.found


def require_whole(voters: SeatedVoters) -> None:
    wait_until(lambda: judged(voters)[0] is Verdict.PASSED, what="P7", seconds=60, explain=lambda: judged(voters)[1])
    for each in looked_at(voters).values():
        assert (each.problem, each.members, each.quota) == ("", 3, QUOTA_BYTES)


@pytest.fixture
def seen_by_commands(voters: SeatedVoters, monkeypatch: pytest.MonkeyPatch) -> None:
    voters.commands(monkeypatch)


def is_well(voters: SeatedVoters, seat: str) -> bool:
    return looked_at(voters)[seat].problem == "learns, and does not vote yet"


@pytest.mark.usefixtures("seen_by_commands")
def test_a_voter_is_replaced_under_load(voters: SeatedVoters, capfd: pytest.CaptureFixture[str]) -> None:
    with both_sites(voters) as (frankfurt, _dublin):
        lease = held(voters)
        shut = [each for each in frankfurt.told if each.startswith("CLOSED")]
        writer = Writer(voters.witness(ANNA))
        withdraw(voters.keys, PAIR.name, "operator")
        with closing(voters.store(ROOT)) as root:
            assert "operator" in publish_withdrawn(root, voters.keys, PAIR.name)
        with writer.writing():
            lost = voters.leader()
            voters.lose(lost)  # the one that costs most: the others have to elect another one
            wait_until(lambda: len(writer.taken) > 5, what="changes after the loss", seconds=60)
            assert judged(voters)[0] is Verdict.FAILED

            # As it was documented before: with the same words and an empty disk a voter ends by itself.
            voters.start(lost)
            assert voters.ended(lost) != 0
            voters.lose_disk(lost)

            assert run([*REPLACE, lost]) == 1
            told = "".join(capfd.readouterr())
            assert "the lost voter is no member any more" in told
            assert "ETCD_INITIAL_CLUSTER_STATE=existing" in told
            assert run([*REPLACE, lost]) == 1, "it is not started, and the order is not left"
            voters.start(lost, joins=True)
            wait_until(lambda: is_well(voters, lost), what="the new voter", seconds=60)
            assert judged(voters)[0] is Verdict.FAILED, "it answers, and has no vote"
            assert run([*REPLACE, lost]) == 0
            assert "votes from now on" in "".join(capfd.readouterr())
            require_whole(voters)
            assert run([*REPLACE, lost]) == 0, "repeated"
            before = len(writer.taken)
            wait_until(lambda: len(writer.taken) > before + 5, what="more changes", seconds=60)
            assert frankfurt.writes, frankfurt.told
        assert writer.problems == []
        assert held(voters) == lease, "the same lease, never lost"
        assert [each for each in frankfurt.told if each.startswith("CLOSED")] == shut

        # The new one alone has everything: users, rights, record, who has left; and votes.
        with closing(voters.store(WATCHER, lost)) as new:
            found = new.read(RECORD, WITHDRAWN)
            assert writer.taken[-1] in found[RECORD].value
            assert "operator" in found[WITHDRAWN].value
            with pytest.raises(Exception, match="does not let watcher do this"):
                new.swap([], [put(RECORD, "x")], RECORD)
        voters.kill(next(seat for seat in SEATS if seat != lost))
        with closing(voters.store(WATCHER)) as store:
            wait_until(lambda: RECORD in store.read(RECORD), what="a quorum with it", seconds=60)
        _bring_back(voters)


def two_are_well(voters: SeatedVoters) -> bool:
    found = looked_at(voters)
    return not (found[NEWYORK].problem or found[ASHBURN].problem)


def _bring_back(voters: SeatedVoters) -> None:
    for seat in SEATS:
        voters.start_if_down(seat)
    require_whole(voters)


@pytest.mark.usefixtures("seen_by_commands")
def test_wrong_orders_are_refused(voters: SeatedVoters, capfd: pytest.CaptureFixture[str]) -> None:
    def not_done(seat: str, *words: str) -> str:
        capfd.readouterr()
        assert run([*REPLACE, seat, *words]) == 1
        return "".join(capfd.readouterr())

    assert run([*REPLACE, "frankfurt"]) == 2
    assert run([*REPLACE, NEWYORK]) == 0
    assert "takes part, nothing is to be replaced" in "".join(capfd.readouterr())

    voters.kill(SINGAPORE)
    wait_until(lambda: two_are_well(voters), what="the other two", seconds=60, interval=0.2)
    with closing(voters.store(ROOT)) as root:
        # Whoever adds before the lost one is removed is refused by the voters themselves.
        with pytest.raises(WitnessUnreachableError, match="unhealthy cluster"):
            root.call("/v3/cluster/member/add", {"peerURLs": ["https://10.99.0.99:2481"]})
        said = not_done(NEWYORK)
        assert "has a line to it" in said, "another seat than the one that is lost"
        assert "name the seat that is lost" in said
        assert len(root.call("/v3/cluster/member/list", {})["members"]) == 3

        voters.kill(ASHBURN)
        said = not_done(SINGAPORE)
        assert "the witness has no quorum that answers" in said
        voters.start(ASHBURN)
        wait_until(lambda: two_are_well(voters), what="the other two", seconds=60, interval=0.2)

        # The second one is lost in the middle: nothing is done until it is back with its disk.
        assert "a new one may join" in not_done(SINGAPORE)
        voters.kill(ASHBURN)
        said = not_done(SINGAPORE)
        assert "the witness has no quorum that answers" in said
        voters.start(ASHBURN)
        wait_until(lambda: two_are_well(voters), what="the other two", seconds=60, interval=0.2)
        assert len(root.call("/v3/cluster/member/list", {})["members"]) == 3, "the new one waits to be started"

        # The new one is lost, too, before it has a vote: another one joins.
        voters.lose_disk(SINGAPORE)
        voters.start(SINGAPORE, joins=True)
        wait_until(lambda: is_well(voters, SINGAPORE), what="the new voter", seconds=60)
        voters.lose(SINGAPORE)
        assert "a new one may join" in not_done(SINGAPORE, "--again")
        voters.start(SINGAPORE, joins=True)
        wait_until(lambda: is_well(voters, SINGAPORE), what="the new voter", seconds=60)
        assert run([*REPLACE, SINGAPORE]) == 0
    require_whole(voters)
    assert [each.members for each in looked_at(voters).values()] == [3, 3, 3]
