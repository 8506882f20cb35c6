"""A pair's record is believed when it was signed by who may sign it, and follows from the last one; never otherwise."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from cryptography.x509.oid import NameOID
from glass_world import Api
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present
from signed_pair import (
    DECISION_KIND,
    DUBLIN,
    FRANKFURT,
    SignedPair,
    Words,
    canonical,
    flipped,
    keys_in,
    long_lived,
    signed,
)

from runbooks import unwitnessed
from runbooks.permit import Permit, read_permits
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.certificates import KeyPair, issue
from shopsphere.foundation.signing import signer_of
from shopsphere.witness import PairRecord, Phase, Sync, Witness, WitnessConflictError
from shopsphere.witness.belief import OlderRecordError, UnbelievedRecordError
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER

pytestmark = pytest.mark.requirement(
    "a record that moves a pair is signed by who may sign it, whoever rules the voters"
)


NEW = {"signature", "decision", "serial"}
"""What earlier versions do not know of a record."""


@pytest.fixture
def pair(tmp_path: Path) -> SignedPair:
    """In epoch 2, decided by an operator; the agent of the active site has changed the record since."""
    made = SignedPair(tmp_path)
    made.first()
    made.move("dublin")
    agent = made.witness(DUBLIN)
    seen = agent.see()
    agent.change(seen, present(seen.record).changed(actor="agent of dublin", reason="it waits", sync=Sync.ON))
    return made


def test_what_operators_and_agents_write_is_believed_by_all(pair: SignedPair) -> None:
    for user in (WATCHER, OPERATOR, FRANKFURT, DUBLIN):
        record = present(pair.witness(user).see().record)
        assert (record.epoch, record.active, record.sync) == (2, "dublin", Sync.ON)
    words = pair.words()
    assert words["signature"]["certificate"] != words["decision"]["signature"]["certificate"]
    assert json.loads(words["decision"]["text"])["actor"] == "anna"


def of_other_pair(pair: SignedPair) -> str:
    return pair.forge(OPERATOR, keys_in(pair.base / "rdc-b", "rdc-b"))


def by_a_stranger(pair: SignedPair) -> str:
    """All the same names, by an authority of the same name."""
    strange = keys_in(pair.base / "strange")
    decision = pair.decision(OPERATOR, strange, epoch=3, active="frankfurt")
    return pair.forge(OPERATOR, strange, epoch=3, active="frankfurt", decision=decision)


def by_a_voter(pair: SignedPair) -> str:
    """Who rules a voter's host has its certificate, of the authority that is believed."""
    return pair.forge("voter-newyork", phase="fencing")


def by_a_voters_authority(pair: SignedPair) -> str:
    """The authority among voters may sign whatever name."""
    folder = pair.base / "forged"
    peers = KeyPair(pair.keys / "peers-ca.crt", pair.keys / "peers-ca.key")
    issue(peers, KeyPair(folder / "operator.crt", folder / "operator.key"), organisation=OPERATOR)
    return pair.forge(OPERATOR, folder, phase="fencing")


def by_two_names(pair: SignedPair) -> str:
    """A certificate whose subject says more than a user has."""
    folder = pair.base / "two"
    own = KeyPair(pair.keys / "ca.crt", pair.keys / "ca.key")
    issue(own, KeyPair(folder / "operator.crt", folder / "operator.key"), organisation=OPERATOR, common_name="voter")
    return pair.forge(OPERATOR, folder, phase="fencing")


def by_a_user_and_more(pair: SignedPair) -> str:
    """A certificate whose subject begins as an operator's."""
    names = {NameOID.ORGANIZATION_NAME: OPERATOR, NameOID.ORGANIZATIONAL_UNIT_NAME: "guests"}
    long_lived(pair.keys, pair.base / "more", OPERATOR, names)
    return pair.forge(OPERATOR, pair.base / "more", phase="fencing")


def by_a_common_name(pair: SignedPair) -> str:
    """As authorities give them to whom they know by another kind of name."""
    long_lived(pair.keys, pair.base / "named", OPERATOR, {NameOID.COMMON_NAME: OPERATOR})
    return pair.forge(OPERATOR, pair.base / "named", phase="fencing")


def signed_as_something_else(pair: SignedPair) -> str:
    """The same words, signed as a decision."""
    words = {**pair.words(), "phase": "fencing"}
    del words["signature"]
    return json.dumps({**words, "signature": signed(pair.keys, OPERATOR, DECISION_KIND, canonical(words))})


def with_signature_of_another(pair: SignedPair) -> str:
    before = pair.words()
    operator = pair.witness(OPERATOR)
    seen = operator.see()
    operator.change(seen, present(seen.record).changed(actor="anna", reason="test", phase=Phase.DRAINING))
    return json.dumps({**pair.words(), "phase": "steady", "signature": before["signature"]})


def with_a_bit_changed(pair: SignedPair) -> str:
    words = pair.words()
    return json.dumps({**words, "signature": {**words["signature"], "value": flipped(words["signature"]["value"])}})


def with_the_decision_of_the_epoch_before(pair: SignedPair) -> str:
    old = pair.words()["decision"]
    pair.move("frankfurt")
    return pair.forge(FRANKFURT, decision=old)


FORGED: dict[str, tuple[Callable[[SignedPair], str], str]] = {
    "unsigned": (lambda pair: json.dumps({**pair.words(), "signature": None}), "nobody has signed it"),
    "old form": (
        lambda pair: json.dumps({name: value for name, value in pair.words().items() if name not in NEW}),
        "nobody has signed it",
    ),
    "active": (lambda pair: pair.forge(active="frankfurt"), "not one of these words"),
    "epoch": (lambda pair: pair.forge(epoch=3), "not one of these words"),
    "phase": (lambda pair: pair.forge(phase="fencing"), "not one of these words"),
    "sync": (lambda pair: pair.forge(sync="off"), "not one of these words"),
    "serial": (lambda pair: pair.forge(serial=2**52), "not one of these words"),
    "decision left out": (lambda pair: pair.forge(decision=None), "not one of these words"),
    "added field": (lambda pair: pair.forge(racks=["a1"]), "not one of these words"),
    "a bit of the signature": (with_a_bit_changed, "not one of these words"),
    "signature of another record": (with_signature_of_another, "not one of these words"),
    "stranger": (by_a_stranger, "authority that is not believed"),
    "operator of another pair": (of_other_pair, "authority that is not believed"),
    "voters' authority": (by_a_voters_authority, "authority that is not believed"),
    "voter": (by_a_voter, "newyork has signed it, and may not"),
    "watcher": (lambda pair: pair.forge(WATCHER, sync="off"), "watcher has signed it, and may not"),
    "root": (lambda pair: pair.forge(ROOT, sync="off"), "root has signed it, and may not"),
    "two names": (by_two_names, "which is no user"),
    "an operator and more": (by_a_user_and_more, "which is no user"),
    "an operator by another kind of name": (by_a_common_name, "which is no user"),
    "signed as something else": (signed_as_something_else, "not one of these words"),
    "record of another pair": (lambda pair: pair.forge(OPERATOR, pair="rdc-b"), "it is a record of rdc-b"),
    "agent moves the pair": (
        lambda pair: pair.forge(FRANKFURT, epoch=3, active="frankfurt", sync="off"),
        "what an operator decided is not that epoch 3 is frankfurt's",
    ),
    "agent decides": (
        lambda pair: pair.forge(
            FRANKFURT, epoch=3, active="frankfurt", sync="off",
            decision=pair.decision(FRANKFURT, epoch=3, active="frankfurt"),
        ),
        "agent-frankfurt has decided whose epoch 3 is, and may not",
    ),
    "agent leaves out who decided": (
        lambda pair: pair.forge(FRANKFURT, sync="off", decision=None),
        "no operator has signed that epoch 2 is dublin's",
    ),
    "agent shuts the other site": (lambda pair: pair.forge(FRANKFURT, phase="fencing"), "no agent announces a change"),
    "agent drains": (lambda pair: pair.forge(DUBLIN, phase="draining"), "no agent announces a change"),
    "agent of the other site says that nothing would be lost": (
        lambda pair: pair.forge(FRANKFURT, sync="on"), "the agent of dublin alone knows",
    ),
    "decision of another pair": (
        lambda pair: pair.forge(OPERATOR, decision=pair.decision(OPERATOR, pair="rdc-b", epoch=2, active="dublin")),
        "what an operator decided is not",
    ),
    "decision of the epoch before": (with_the_decision_of_the_epoch_before, "what an operator decided is not"),
    "epoch decided twice": (
        lambda pair: pair.forge(
            OPERATOR, active="frankfurt", decision=pair.decision(OPERATOR, epoch=2, active="frankfurt")
        ),
        "epoch 2 is dublin's",
    ),
    "a serial number after which there is none": (
        lambda pair: pair.forge(OPERATOR, serial=2**53), "is none that a clock gives",
    ),
    "five epochs later": (
        lambda pair: pair.forge(
            OPERATOR, epoch=7, active="frankfurt", decision=pair.decision(OPERATOR, epoch=7, active="frankfurt")
        ),
        "after epoch 2 comes 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_record_is_no_answer(pair: SignedPair, kind: str) -> None:
    forge, why = FORGED[kind]
    readers = {user: pair.witness(user) for user in (WATCHER, OPERATOR, FRANKFURT, DUBLIN)}
    known = {user: present(reader.see().record) for user, reader in readers.items()}
    true = pair.text()
    forged = forge(pair)
    if pair.text() != true:  # the pair went on meanwhile
        known = {user: present(reader.see().record) for user, reader in readers.items()}
        true = pair.text()
    pair.write(forged)
    for user, reader in readers.items():
        for look in (reader.see, reader.glance):
            with pytest.raises(UnbelievedRecordError, match=why):
                look()
        assert reader.belief.last == known[user]
        assert why in reader.belief.problem
        assert "shopsphere" not in reader.belief.problem.partition("do:")[0]
    assert pair.text() == forged, "nobody has written anything because of it"
    pair.write(true)
    for user, reader in readers.items():
        assert reader.see().record == known[user]
        assert reader.belief.problem == ""


@pytest.mark.parametrize("kind", [each for each in FORGED if each not in {"five epochs later", "epoch decided twice"}])
def test_who_reads_for_the_first_time_believes_it_no_more(pair: SignedPair, kind: str) -> None:
    forge, why = FORGED[kind]
    pair.write(forge(pair))
    with pytest.raises(UnbelievedRecordError, match=why):
        pair.witness().see()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", '{"pair":', "[" * 30_000, '{"epoch":' + "9" * 6000 + "}", "x" * 70_000]
)
def test_what_is_no_record_is_no_answer(pair: SignedPair, text: str) -> None:
    reader = pair.witness()
    known = reader.see().record
    pair.write(text)
    with pytest.raises(UnreadableWitnessError, match="cannot be read"):
        reader.see()
    assert reader.belief.last == known
    assert reader.belief.problem


def test_an_older_record_is_refused_by_who_knows_a_newer_one(pair: SignedPair) -> None:
    """Each was signed once by who might, so that a fresh reader cannot tell."""
    older = {"of the same epoch": pair.text()}
    seen = (operator := pair.witness(OPERATOR)).see()
    operator.change(seen, present(seen.record).changed(actor="anna", reason="test", phase=Phase.DRAINING))
    older["draining"] = pair.text()
    pair.move("frankfurt", phase=Phase.STEADY, sync=Sync.OFF)
    older["of the epoch itself"] = pair.text()
    agent = pair.witness(FRANKFURT)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    watcher = pair.witness()
    newest = present(watcher.see().record)
    for text in older.values():
        pair.write(text)
        with pytest.raises(OlderRecordError, match="is an older one"):
            watcher.see()
        assert watcher.belief.last == newest
        assert pair.witness().see().record is not None


def test_an_older_record_of_the_same_writer_is_refused(pair: SignedPair) -> None:
    """Of one run, and of an agent that said that payments may be missing: each alone would do no harm."""
    operator, agent, watcher = pair.witness(OPERATOR), pair.witness(DUBLIN), pair.witness()
    older = []
    for writer, values in (
        (agent, {"sync": Sync.OFF}), (agent, {"sync": Sync.ON}), (operator, {"phase": Phase.DRAINING}),
        (operator, {"phase": Phase.FENCING}), (operator, {"phase": Phase.STEADY}),
    ):  # fmt: skip
        older.append(pair.text())
        change(writer, **values)
    newest = watcher.see().record
    for text in older:
        pair.write(text)
        with pytest.raises(OlderRecordError):
            watcher.see()
    assert watcher.belief.last == newest


def test_an_agent_writes_anew_what_the_voters_have_lost(pair: SignedPair) -> None:
    older = pair.text()
    pair.move("frankfurt", phase=Phase.STEADY, sync=Sync.ON)
    agent, other = pair.witness(DUBLIN), pair.witness(FRANKFURT)
    agent.see()
    other.see()
    pair.write(older)
    restored = present(agent.see().record)
    assert (restored.epoch, restored.active, restored.phase, restored.sync) == (3, "frankfurt", Phase.STEADY, Sync.OFF)
    assert restored.reason == "the witness had an older record of epoch 3"
    for reader in (other, agent, pair.witness(), pair.witness(OPERATOR)):
        assert reader.see().record == restored, "with the operator's decision still in it"


def test_an_agent_restores_a_record_that_is_gone_with_who_decided(pair: SignedPair) -> None:
    agent = pair.witness(FRANKFURT)
    agent.see()
    del pair.etcd.entries[b"/shopsphere/rdc-a/record"]
    lost = PairRecord.first("rdc-a", "frankfurt", actor="agent").changed(
        actor="agent", reason="lost", epoch=2, active="dublin"
    )
    agent.change(agent.see(), lost)
    assert present(pair.witness().see().record).epoch == 2


@pytest.mark.requirement("a command that was shown an older record moves nothing that an agent knows better")
@pytest.mark.parametrize("hidden", [False, True])
def test_a_move_that_was_built_on_an_older_record(pair: SignedPair, hidden: bool) -> None:
    """It was told that nothing would be lost, which is not so any more."""
    said_on = pair.text()
    agent = pair.witness(DUBLIN)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="away", sync=Sync.OFF))
    target = pair.witness(FRANKFURT)
    target.see()
    pair.write(said_on)
    operator = pair.witness(OPERATOR)
    seen = operator.see()
    assert present(seen.record).sync is Sync.ON
    seen = operator.change(seen, present(seen.record).changed(actor="anna", reason="flood", phase=Phase.FENCING))
    if not hidden:
        restored = present(target.see().record)
        with pytest.raises(WitnessConflictError, match="changed by agent of frankfurt"):
            operator.change(seen, present(seen.record).changed(actor="anna", reason="flood", epoch=3))
    else:
        begun = {"epoch": 3, "active": "frankfurt", "phase": Phase.STEADY, "sync": Sync.OFF}
        operator.change(seen, present(seen.record).changed(actor="anna", reason="flood", **begun))
        restored = present(target.see().record)
    assert (restored.epoch, restored.active, restored.phase) == (2, "dublin", Phase.STEADY)
    assert restored.sync is Sync.OFF
    assert agent.see().record == restored


WRITES = st.sampled_from(["agent", "other agent", "operator", "another command", "look", "agent starts", "late"])


@pytest.mark.requirement("whatever honest writers write is believed by whoever reads it, however rarely")
@settings(max_examples=20, deadline=None)
@given(writes=st.lists(WRITES, min_size=1, max_size=10))
def test_an_honest_history_is_always_believed(writes: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = SignedPair(Path(folder))
        agents = {"frankfurt": pair.first(), "dublin": pair.witness(DUBLIN)}
        readers = [pair.witness(), *agents.values()]
        operator, late = pair.witness(OPERATOR), pair.witness()
        for number, write in enumerate(writes):
            record = present(pair.witness().see().record)
            other = "dublin" if record.active == "frankfurt" else "frankfurt"
            sync = Sync.OFF if record.sync is Sync.ON else Sync.ON
            match write:
                case "agent":
                    change(agents[record.active], sync=sync)
                case "other agent":
                    change(agents[other], sync=Sync.OFF)
                case "operator":
                    change(operator, epoch=record.epoch + 1, active=other, sync=Sync.OFF)
                    pair.clock.sleep(11.0)  # who was away so long may have missed some
                case "another command":
                    command = pair.witness(OPERATOR)
                    change(command, phase=Phase.DRAINING)
                    change(command, phase=Phase.STEADY)
                case "agent starts":
                    was = agents[other].belief.remembered
                    agents[other] = pair.witness(DUBLIN if other == "dublin" else FRANKFURT, remembered=was)
                    readers.append(agents[other])
                case "late":
                    assert late.see().record == record
            for reader in readers[number % 2 :: 2]:
                assert reader.see().record == pair.witness().see().record
        assert len({present(each.see().record).change for each in readers}) == 1


def change(writer: Witness, **values: object) -> None:
    seen = writer.see()
    writer.change(seen, present(seen.record).changed(actor="test", reason="test", **values))


def test_nobody_writes_what_nobody_would_believe(pair: SignedPair) -> None:
    before = pair.text()
    for user in (FRANKFURT, ROOT, WATCHER):
        witness = pair.witness(user)
        seen = witness.see()
        moved = present(seen.record).changed(actor="eve", reason="mine", epoch=3, active="frankfurt", sync=Sync.OFF)
        with pytest.raises(UnbelievedRecordError, match="was not written that nobody would believe"):
            witness.change(seen, moved)
    assert pair.text() == before


def test_epochs_are_missed_only_by_who_did_not_listen(pair: SignedPair) -> None:
    listens, away = pair.witness(), pair.witness()
    for reader in (listens, away):
        reader.see()
    for to in ("frankfurt", "dublin", "frankfurt"):
        pair.clock.sleep(6.0)
        pair.move(to)
        listens.see()
    assert present(away.see().record).epoch == 5, "12 s and more without an answer"
    far = pair.forge(OPERATOR, epoch=14, active="dublin", decision=pair.decision(OPERATOR, epoch=14, active="dublin"))
    pair.write(far)
    pair.clock.sleep(60.0)
    for _ in range(2):
        with pytest.raises(UnbelievedRecordError, match="after epoch 5 comes 6"):
            away.see()
        pair.clock.sleep(3.0)


def test_who_only_waits_is_not_led_further_by_it(pair: SignedPair) -> None:
    """A refused answer is an answer: who hears one cannot miss epochs."""
    reader = pair.witness()
    reader.see()
    pair.write(
        pair.forge(OPERATOR, epoch=4, active="dublin", decision=pair.decision(OPERATOR, epoch=4, active="dublin"))
    )
    for _ in range(40):
        pair.clock.sleep(3.0)
        with pytest.raises(UnbelievedRecordError, match="after epoch 2 comes 3"):
            reader.see()


@pytest.mark.requirement("an agent looks often: the same bytes are judged once")
def test_the_same_bytes_are_judged_once(pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[object] = []

    def counted(*arguments: object) -> str:
        judged.append(arguments)
        return signer_of(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("shopsphere.witness.signatures.signer_of", counted)
    reader = pair.witness()
    for _ in range(100):
        reader.see()
    assert len(judged) == 2, "the record, and whose the epoch is"
    agent = pair.witness(DUBLIN)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="away", sync=Sync.OFF))
    judged.clear()
    reader.see()
    assert len(judged) == 1, "the decision is the same"


def test_one_voter_that_is_behind_is_no_news(pair: SignedPair) -> None:
    older, reader = pair.text(), pair.witness()
    pair.move("frankfurt")
    newest = reader.see().record
    pair.write(older)
    assert reader.glance().record == newest
    assert reader.belief.problem == ""


def test_an_answer_that_was_on_its_way_while_one_wrote_is_no_older_record(pair: SignedPair) -> None:
    meanwhile: list[Callable[[], object]] = []

    def carry(request: httpx.Request) -> httpx.Response:
        answer = pair.line.transport.handle_request(request)
        while meanwhile:
            meanwhile.pop()()
        return answer

    agent = pair.witness(DUBLIN, transport=httpx.MockTransport(carry))
    seen = agent.see()
    off = present(seen.record).changed(actor="agent", reason="away", sync=Sync.OFF)
    meanwhile.append(lambda: agent.change(seen, off))
    assert present(agent.see().record).change == off.change
    assert agent.belief.problem == ""


def test_what_was_decided_for_a_permit_is_brought_in_by_an_agent(pair: SignedPair) -> None:
    words: Words = {
        "pair": "rdc-a", "epoch": 3, "active": "frankfurt", "session": "5e55", "actor": "anna", "reason": "flood",
        "at": "2027-03-01T04:05:06Z",
    }  # fmt: skip
    decision = present(pair.witness(OPERATOR).belief.decide(3, "frankfurt", "anna"))
    agent = pair.witness(FRANKFURT)
    seen = agent.see()
    with pytest.raises(UnbelievedRecordError, match="give a permit again that was given without them"):
        agent.change(seen, Permit.model_validate(words).begun_after(present(seen.record)))
    permit = Permit.model_validate_json(Permit.model_validate({**words, "decision": decision}).model_dump_json())
    agent.change(seen, permit.begun_after(present(seen.record)))
    for user in (WATCHER, DUBLIN):
        record = present(pair.witness(user).see().record)
        assert (record.epoch, record.active, record.actor) == (3, "frankfurt", "anna")
    other = present(pair.witness(OPERATOR).belief.decide(4, "frankfurt", "anna"))
    wrong = Permit.model_validate({**words, "epoch": 4, "active": "dublin", "decision": other})
    seen = agent.see()
    with pytest.raises(UnbelievedRecordError, match="no operator has signed that epoch 4 is dublin's"):
        agent.change(seen, wrong.begun_after(present(seen.record)))


@pytest.mark.requirement("whoever breaks the glass signs what an agent brings in later")
def test_a_permit_carries_what_was_decided(pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api("frankfurt")
    monkeypatch.setattr(unwitnessed, "answering", lambda _access, _site: {})
    access = SimpleNamespace(
        witness=pair.witness(OPERATOR), cluster=lambda _site: api, agent_state=lambda _site: {"session": "5e55"}
    )
    change: Any = SimpleNamespace(
        access=access, pair=SimpleNamespace(name="rdc-a"), source="dublin", target="frankfurt", epoch=2, variant="move",
        actor="anna", reason="flood",
    )  # fmt: skip
    unwitnessed.lay_down(change, "frankfurt")
    (permit,) = read_permits(cast("Cluster", api))
    agent = pair.witness(FRANKFURT)
    agent.change(agent.see(), permit.begun_after(present(agent.see().record)))
    record = present(pair.witness().see().record)
    assert (record.epoch, record.active, record.reason) == (3, "frankfurt", "without the witness: flood")


def test_who_asks_nobody_in_particular_signs_and_judges_nothing() -> None:
    witness = Witness("rdc-a", ("http://10.0.0.1:1",))
    assert witness.belief.decide(2, "dublin", "anna") is None
    record = PairRecord.first("rdc-a", "frankfurt", actor="test")
    assert witness.belief.seal(record) == (record, record.model_dump_json())
