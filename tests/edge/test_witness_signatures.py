"""A signed record at three real voters, and whoever rules them: what he writes is believed by nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from present import present
from signed_pair import DECISION_KIND, RECORD_KIND, Words, canonical, signed
from witness_voters import ADDRESSES, AGENT, SECONDS, Voters, started_voters

from shopsphere.foundation.clock import wait_until
from shopsphere.witness import PairRecord, Phase, Sync, Witness
from shopsphere.witness.belief import Belief, UnbelievedRecordError
from shopsphere.witness.keys import make_keys
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.store import encoded, put
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER

RECORD = "/shopsphere/rdc-a/record"
pytestmark = pytest.mark.requirement("a record that moves a pair is signed by who may, whoever rules the voters")


class Signed:
    """The pair's witness, as those ask who know that its record is signed."""

    def __init__(self, voters: Voters) -> None:
        self.voters, self._open = voters, list[Witness]()

    def witness(self, user: str = WATCHER, *, demanded: bool = True) -> Witness:
        identity = self.voters.identity(user)
        belief = Belief("rdc-a", identity, demanded=demanded)
        if user == AGENT:
            made: Witness = SiteWitness(
                "rdc-a", self.voters.urls, identity, site="frankfurt", belief=belief, seconds=SECONDS
            )
        else:
            kind = SigningWitness if user == OPERATOR else Witness
            made = kind("rdc-a", self.voters.urls, identity, belief=belief, seconds=SECONDS)
        self._open.append(made)
        return made

    def close(self) -> None:
        for each in self._open:
            each.close()

    def text(self) -> str:
        store = self.voters.store(ROOT)
        found = store.read(RECORD)[RECORD].value
        store.close()
        return found

    def write(self, text: str, user: str = ROOT) -> None:
        store = self.voters.store(user)
        store.swap([], [put(RECORD, text)], RECORD)
        store.close()

    def delete(self) -> None:
        store = self.voters.store(ROOT)
        store.swap([], [{"requestDeleteRange": {"key": encoded(RECORD)}}], RECORD)
        store.close()

    def forge(self, by: str = "", keys: Path | None = None, **values: object) -> str:
        words: Words = {**json.loads(self.text()), **values}
        if by:
            words["serial"] += 1
            del words["signature"]
            words["signature"] = signed(keys or self.voters.keys, by, RECORD_KIND, canonical(words))
        return canonical(words)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    with started_voters(tmp_path_factory.mktemp("signed")) as voters:
        yield voters


@pytest.fixture
def pair(started: Voters) -> Iterator[Signed]:
    """Written by an agent, moved by an operator, changed by the agent of the active site."""
    pair = Signed(started)
    pair.delete()
    agent, operator = pair.witness(AGENT), pair.witness(OPERATOR)
    agent.change(agent.see(), PairRecord.first("rdc-a", "dublin", actor="agent of frankfurt"))
    lock = operator.lock("anna", seconds=60)
    seen = operator.see()
    moved = present(seen.record).changed(actor="anna", reason="flood", epoch=2, active="frankfurt")
    assert operator.attempt(seen, moved, lock=lock)[0]
    operator.release_lease(lock.lease)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    yield pair
    pair.close()


def test_who_may_sign_is_believed(pair: Signed) -> None:
    for user in (WATCHER, OPERATOR, AGENT):
        record = present(pair.witness(user).see().record)
        assert (record.epoch, record.active, record.sync) == (2, "frankfurt", Sync.ON)
    lease = (agent := pair.witness(AGENT)).prepare_lease(seconds=60)
    agent.take_lease(agent.see(), "frankfurt", lease)
    assert pair.witness().see().lease_holder == "frankfurt"
    agent.release_lease(lease)


def decided_by(pair: Signed, keys: Path, by: str, epoch: int, active: str) -> Words:
    words = {"pair": "rdc-a", "epoch": epoch, "active": active, "actor": "eve", "at": "2027-03-01T04:05:06Z"}
    text = canonical(words)
    return {"text": text, "signature": signed(keys, by, DECISION_KIND, text)}


def by_a_stranger(pair: Signed, base: Path) -> str:
    make_keys(base / "strange", "tests", {}, (OPERATOR,))
    decision = decided_by(pair, base / "strange", OPERATOR, 3, "dublin")
    return pair.forge(OPERATOR, base / "strange", epoch=3, active="dublin", decision=decision)


def by_an_agent(pair: Signed, _base: Path) -> str:
    decision = decided_by(pair, pair.voters.keys, AGENT, 3, "dublin")
    return pair.forge(AGENT, epoch=3, active="dublin", sync="off", decision=decision)


def too_far(pair: Signed, _base: Path) -> str:
    decision = decided_by(pair, pair.voters.keys, OPERATOR, 7, "dublin")
    return pair.forge(OPERATOR, epoch=7, active="dublin", decision=decision)


FORGED: dict[str, tuple[str, Callable[[Signed, Path], str], str]] = {
    "root, a field": (ROOT, lambda pair, _: pair.forge(active="dublin"), "not one of these words"),
    "root, unsigned": (ROOT, lambda pair, _: pair.forge(signature=None, epoch=3), "nobody has signed it"),
    "root, a voter's certificate": (
        ROOT, lambda pair, _: pair.forge(f"voter-{ADDRESSES[0]}", phase="fencing"), f"{ADDRESSES[0]} has signed it",
    ),
    "root, its own certificate": (ROOT, lambda pair, _: pair.forge(ROOT, phase="fencing"), "root has signed it"),
    "root, a stranger's authority": (ROOT, by_a_stranger, "authority that is not believed"),
    "an agent moves": (AGENT, by_an_agent, "agent-frankfurt has decided whose epoch 3 is, and may not"),
    "an agent announces": (AGENT, lambda pair, _: pair.forge(AGENT, phase="fencing"), "no agent announces a change"),
    "an operator skips epochs": (OPERATOR, too_far, "after epoch 2 comes 3"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_record_is_no_answer(pair: Signed, tmp_path: Path, kind: str) -> None:
    user, forge, why = FORGED[kind]
    readers = [pair.witness(each) for each in (WATCHER, AGENT, OPERATOR)]
    known = [present(each.see().record) for each in readers]
    true = pair.text()
    pair.write(forge(pair, tmp_path), user)
    for reader, record in zip(readers, known, strict=True):
        with pytest.raises(UnbelievedRecordError, match=why):
            reader.see()
        # One voter may be behind for a moment: it says what was known before.
        wait_until(partial(refuses, reader), what="the voter that is asked", seconds=30, interval=0.1)
        assert reader.belief.last == record
    pair.write(true)
    for reader, record in zip(readers, known, strict=True):
        assert reader.see().record == record


def refuses(reader: Witness) -> bool:
    try:
        reader.glance()
    except UnbelievedRecordError:
        return True
    return False


def test_an_older_record_is_written_anew_by_the_agent(pair: Signed) -> None:
    older = pair.text()
    operator, agent, watcher = pair.witness(OPERATOR), pair.witness(AGENT), pair.witness()
    seen = operator.see()
    operator.change(seen, present(seen.record).changed(actor="anna", reason="flood", epoch=3, active="dublin"))
    for reader in (agent, watcher):
        assert present(reader.see().record).epoch == 3
    pair.write(older)
    with pytest.raises(UnbelievedRecordError, match="is an older one"):
        watcher.see()
    restored = present(agent.see().record)
    assert (restored.epoch, restored.active, restored.sync) == (3, "dublin", Sync.OFF)
    for reader in (watcher, pair.witness(), pair.witness(OPERATOR)):
        assert reader.see().record == restored


def test_signatures_begin_with_an_operators_word(started: Voters) -> None:
    """An agent of an earlier version goes on until then, and what it writes is not believed any more after that."""
    pair = Signed(started)
    pair.delete()
    words = {
        "pair": "rdc-a", "epoch": 7, "active": "frankfurt", "phase": "steady", "sync": "off", "actor": "agent",
        "reason": "before", "changed_at": "2027-03-01T04:05:06Z", "change": "c0ffee",
    }  # fmt: skip
    pair.write(json.dumps(words), AGENT)
    watcher, agent = pair.witness(demanded=False), pair.witness(AGENT, demanded=False)
    for reader in (watcher, agent):
        assert present(reader.see().record).change == "c0ffee"
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    assert json.loads(pair.text())["signature"] is None
    operator = pair.witness(OPERATOR, demanded=False)
    assert isinstance(operator, SigningWitness)
    operator.sign(7, "frankfurt", "anna")
    for reader in (watcher, agent):
        assert present(reader.see().record).sync is Sync.ON
    earlier = {**json.loads(pair.text()), "sync": "off", "change": "earlier", "phase": Phase.STEADY}
    pair.write(json.dumps(earlier), AGENT)
    for reader in (watcher, agent):
        with pytest.raises(UnbelievedRecordError, match="not one of these words"):
            reader.see()
    operator.sign(7, "frankfurt", "anna")
    assert present(watcher.see().record).sync is Sync.OFF
    pair.close()
