"""When signatures begin to be demanded, and what becomes of them: starts, ends of certificates, new authorities."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import NameOID
from present import present
from signed_pair import DUBLIN, FRANKFURT, SignedPair, keys_in, long_lived, signs

from cli.main import run
from shopsphere.estate.access import WitnessAccess
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.exchanged import Epoch, Exchanged, Name, Words
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.signing import NotSignedError
from shopsphere.witness import PairRecord, Phase, Sync, access, own_keys
from shopsphere.witness.belief import OlderRecordError, UnbelievedRecordError
from shopsphere.witness.identity import WitnessKeysError
from shopsphere.witness.keys import change_authorities
from shopsphere.witness.operators import acting_as
from shopsphere.witness.record import LAST_SERIAL
from shopsphere.witness.signing_anew import SigningError
from shopsphere.witness.store import WitnessConflictError
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER

URLS = ("http://10.0.0.1:1",)
BEFORE = {
    "pair": "rdc-a", "epoch": 7, "active": "dublin", "phase": "steady", "sync": "off", "actor": "anna at ops-1",
    "reason": "flood", "changed_at": "2027-03-01T04:05:06.000007Z", "change": "c0ffee", "racks": ["a1"],
}  # fmt: skip
"""As an earlier version, and one that knew of racks, wrote it."""


class EarlierRecord(Exchanged):
    """A record as the version before signatures reads and changes it."""

    pair: Name
    epoch: Epoch
    active: Name
    phase: Phase = Phase.STEADY
    sync: Sync = Sync.OFF
    actor: Words
    reason: Words
    changed_at: datetime
    change: Name


@pytest.fixture
def pair(tmp_path: Path) -> SignedPair:
    return SignedPair(tmp_path)


@pytest.fixture
def moved(pair: SignedPair) -> SignedPair:
    pair.first()
    pair.move("dublin")
    return pair


@pytest.mark.requirement("an operator signs a record that nobody believes while a node of the active site still serves")
@pytest.mark.parametrize(("site", "is_signed"), [("dublin", True), ("frankfurt", False)])
def test_a_further_node_that_has_its_lease(moved: SignedPair, site: str, *, is_signed: bool) -> None:
    lease = moved.witness(DUBLIN).prepare_lease(seconds=10)
    held = {"key": f"/shopsphere/rdc-a/nodes/{site}/{site}-2", "value": "boot"}
    put = {each: base64.b64encode(text.encode()).decode() for each, text in held.items()}
    moved.etcd.answer("/v3/kv/txn", {"compare": [], "success": [{"requestPut": {**put, "lease": str(lease)}}]})
    if is_signed:
        assert signs(moved, demanded=True).sign(2, "dublin", "anna").epoch == 2
        return
    with pytest.raises(WitnessConflictError):
        signs(moved, demanded=True).sign(2, "dublin", "anna")


@pytest.mark.requirement("a record of an earlier version is believed until a signed one was seen, and then never again")
def test_signatures_begin_when_an_operator_says_so(pair: SignedPair) -> None:
    pair.write(json.dumps(BEFORE))
    readers = [pair.witness(user, demanded=False) for user in (WATCHER, OPERATOR, FRANKFURT, DUBLIN)]
    for reader in readers:
        assert present(reader.see().record).epoch == 7
        assert not reader.belief.demands
    agent = readers[3]
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    assert pair.words()["signature"] is None, "nobody signs while others may be of an earlier version"
    before = pair.text()
    record = signs(pair).sign(7, "dublin", "anna")
    assert (record.sync, record.racks) == (Sync.ON, ["a1"])  # type: ignore[attr-defined]
    for reader in readers:
        assert present(reader.see().record).change == record.change
        assert reader.belief.demands
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="away", sync=Sync.OFF))
    pair.write(before)
    for reader in readers[:2]:
        with pytest.raises(UnbelievedRecordError, match="nobody has signed it"):
            reader.see()
    assert present(pair.witness(demanded=False).see().record).sync is Sync.ON, "of a new reader the stack has to demand"
    with pytest.raises(UnbelievedRecordError):
        pair.witness(demanded=True).see()


@pytest.mark.requirement("what a reader believes outlives its start")
def test_a_reader_remembers(moved: SignedPair) -> None:
    older, reader = moved.text(), moved.witness(DUBLIN, demanded=False)
    moved.move("frankfurt")
    newest = reader.see().record
    kept = type(present(reader.belief.remembered)).model_validate_json(
        present(reader.belief.remembered).model_dump_json()
    )
    again = moved.witness(demanded=False, remembered=kept)
    assert (again.belief.last, again.belief.demands) == (newest, True)
    moved.write(older)
    with pytest.raises(OlderRecordError):
        again.see()
    moved.write(json.dumps(BEFORE))
    with pytest.raises(UnbelievedRecordError, match="nobody has signed it"):
        again.see()
    far = moved.decision(OPERATOR, epoch=12, active="dublin")
    moved.write(kept.text)
    moved.write(moved.forge(OPERATOR, epoch=12, active="dublin", decision=far))
    with pytest.raises(UnbelievedRecordError, match="after epoch 3 comes 4"):
        moved.witness(demanded=False, remembered=kept).see()


def test_what_was_believed_without_a_signature_is_not_any_more_when_they_are_demanded(pair: SignedPair) -> None:
    pair.write(json.dumps(BEFORE))
    reader = pair.witness(demanded=False)
    reader.see()
    again = pair.witness(demanded=True, remembered=reader.belief.remembered)
    with pytest.raises(UnbelievedRecordError, match="nobody has signed it"):
        again.see()
    assert present(again.belief.last).epoch == 7, "its epoch bounds what may come"
    signs(pair, demanded=True).sign(7, "dublin", "anna")
    assert present(again.see().record).epoch == 7


@pytest.mark.requirement("two versions of agents work beside each other")
def test_an_earlier_version_reads_a_signed_record(moved: SignedPair) -> None:
    signed = EarlierRecord.model_validate_json(moved.text())
    assert (signed.epoch, signed.active) == (2, "dublin")
    assert len(moved.text()) < 4096, "it refuses what has more than 16 KiB of fields that it does not know"
    changed = signed.model_copy(update={"sync": Sync.ON, "change": "c0ffee"})
    known = moved.witness()
    known.see()
    moved.write(changed.model_dump_json())
    with pytest.raises(UnbelievedRecordError, match="not one of these words"):
        known.see()
    fresh = moved.witness(demanded=False)
    assert present(fresh.see().record).sync is Sync.ON, "who never saw a signed one takes it as one from before"


@pytest.mark.requirement("what was believed stays believed when the certificate has ended; a new signature does not")
def test_certificates_end(moved: SignedPair) -> None:
    knows, text = moved.witness(DUBLIN), moved.text()
    record = knows.see().record
    kept = knows.belief.remembered
    moved.later = timedelta(days=826)
    assert knows.see().record == record
    assert moved.witness(DUBLIN, remembered=kept).see().record == record, "after a start too"
    with pytest.raises(UnbelievedRecordError, match="its signer's certificate ended"):
        moved.witness().see()
    with pytest.raises(UnbelievedRecordError, match="its signer's certificate ended"):
        knows.change(knows.see(), present(record).changed(actor="agent", reason="away", sync=Sync.OFF))
    assert moved.text() == text
    moved.write(moved.forge(OPERATOR, sync="on"))
    with pytest.raises(UnbelievedRecordError, match="its signer's certificate ended"):
        knows.see()


@pytest.mark.requirement("what was believed stays believed when the certificate has ended; a new signature does not")
def test_that_a_certificate_ended_is_said_only_where_all_else_holds(moved: SignedPair) -> None:
    """Whoever has a key that ended, and rules the voters, is not passed off as one who forgot to renew it."""
    good = moved.text()
    forged = {
        "and may not": moved.forge(ROOT),
        "who has not decided this epoch": moved.forge(DUBLIN, actor=acting_as("operator-eve")),
        "it says that it is by": moved.forge(OPERATOR, actor=acting_as("operator-eve")),
        "what an operator decided is not": moved.forge(OPERATOR, epoch=9, active="frankfurt"),
        "has decided whose epoch 9 is, and may not": moved.forge(
            OPERATOR, epoch=9, active="frankfurt", decision=moved.decision(DUBLIN, epoch=9, active="frankfurt")
        ),
        "none that a clock gives": moved.forge(OPERATOR, serial=LAST_SERIAL),
    }
    moved.later = timedelta(days=826)
    for why, text in forged.items():
        moved.write(text)
        with pytest.raises(UnbelievedRecordError, match="find out who wrote it") as refused:
            moved.witness().see()
        assert why in str(refused.value)
        assert "witness sign" not in str(refused.value)
    moved.write(good)
    with pytest.raises(UnbelievedRecordError, match="its signer's certificate ended") as refused:
        moved.witness().see()
    assert "`shopsphere witness sign rdc-a --epoch N --active SITE`, as both agents say" in str(refused.value)


def test_a_decision_that_is_known_outlives_its_certificate_in_new_records(moved: SignedPair) -> None:
    """The agent has a new certificate by then; who decided the epoch years ago has none that is good."""
    agent, other = moved.witness(DUBLIN), moved.witness(FRANKFURT)
    agent.see()
    other.see()
    long_lived(moved.keys, moved.keys, DUBLIN, {NameOID.ORGANIZATION_NAME: DUBLIN})
    moved.later = timedelta(days=826)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    assert present(other.see().record).sync is Sync.ON
    kept = other.belief.remembered
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="away", sync=Sync.OFF))
    assert present(moved.witness(FRANKFURT, remembered=kept).see().record).sync is Sync.OFF
    with pytest.raises(UnbelievedRecordError, match="its signer's certificate ended"):
        moved.witness().see()


@pytest.mark.requirement("an authority is changed, and no record is lost by it")
def test_an_authority_is_changed(moved: SignedPair) -> None:
    knows = moved.witness(DUBLIN)
    before = knows.see().record

    def step(step: Step) -> None:
        if step is not Step.END:
            change_authorities(moved.keys, step)
        keys_in(moved.keys)
        if step is Step.END:
            change_authorities(moved.keys, step)

    step(Step.BEGIN)
    assert moved.witness().see().record == before
    step(Step.SIGN)
    fresh = moved.witness()
    assert fresh.see().record == before, "both are believed"
    assert set(fresh.belief.renewable(present(before)).values()) == {None}, "and who looks is told that one ends"
    agent = moved.witness(DUBLIN)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="waits", sync=Sync.ON))
    record = present(moved.witness().see().record)
    good = fresh.belief.renewable(record)
    assert [name for name, end in good.items() if end is None] == ["the signature of who decided the epoch"]
    signs(moved, demanded=True).sign(2, "dublin", "anna")
    record = present(moved.witness().see().record)
    assert None not in fresh.belief.renewable(record).values()
    step(Step.END)
    for reader in (moved.witness(), knows, agent):
        assert reader.see().record == record


def test_an_authority_is_changed_and_nobody_signed_anew(moved: SignedPair) -> None:
    knows = moved.witness(DUBLIN)
    before = knows.see().record
    for step in (Step.BEGIN, Step.SIGN):
        change_authorities(moved.keys, step)
        keys_in(moved.keys)
    change_authorities(moved.keys, Step.END)
    assert knows.see().record == before, "the agents go on"
    knows.change(knows.see(), present(before).changed(actor="agent", reason="waits", sync=Sync.ON))
    assert present(knows.see().record).sync is Sync.ON
    with pytest.raises(UnbelievedRecordError, match="of an authority that is not believed"):
        moved.witness().see()
    signs(moved, demanded=True).sign(2, "dublin", "anna")
    for reader in (moved.witness(), knows):
        assert present(reader.see().record).actor == "anna"


@pytest.mark.requirement("an operator who was removed signs nothing that is believed once the authority is another")
def test_a_removed_operator(moved: SignedPair) -> None:
    taken = moved.base / "taken"
    taken.mkdir()
    for kind in ("crt", "key"):
        (taken / f"operator.{kind}").write_bytes((moved.keys / f"operator.{kind}").read_bytes())
    knows = moved.witness()
    knows.see()
    for step in (Step.BEGIN, Step.SIGN):
        change_authorities(moved.keys, step)
        keys_in(moved.keys)
    signs(moved, demanded=True).sign(2, "dublin", "anna")
    change_authorities(moved.keys, Step.END)
    knows.see()
    decision = moved.decision(OPERATOR, taken, epoch=3, active="frankfurt")
    moved.write(moved.forge(OPERATOR, taken, epoch=3, active="frankfurt", decision=decision))
    for reader in (knows, moved.witness()):
        with pytest.raises(UnbelievedRecordError, match="of an authority that is not believed"):
            reader.see()


def test_an_operator_signs_what_is_true(moved: SignedPair) -> None:
    before = moved.text()
    for epoch, active in ((2, "frankfurt"), (3, "dublin")):
        with pytest.raises(SigningError, match="epoch 2, dublin active, by anna: flood"):
            signs(moved, demanded=True).sign(epoch, active, "anna")
    moved.move("dublin", epoch=2, phase=Phase.DRAINING)
    with pytest.raises(SigningError, match="draining, epoch 2"):
        signs(moved, demanded=True).sign(2, "dublin", "anna")
    assert moved.text() != before


def test_an_operator_puts_an_end_to_what_a_forger_wrote(moved: SignedPair) -> None:
    knows = {user: moved.witness(user) for user in (WATCHER, FRANKFURT, DUBLIN)}
    for reader in knows.values():
        reader.see()
    moved.write(json.dumps({**BEFORE, "epoch": 900, "active": "frankfurt", "phase": "fencing", "serial": 2**53}))
    signs(moved, demanded=True).sign(2, "frankfurt", "eve")
    for reader in knows.values():
        with pytest.raises(UnbelievedRecordError, match="epoch 2 is dublin's"):
            reader.see()
    with pytest.raises(SigningError, match="or add --replace"):
        signs(moved, demanded=True).sign(2, "dublin", "anna")
    signs(moved, demanded=True).sign(2, "dublin", "anna", replace=True)
    for reader in knows.values():
        record = present(reader.see().record)
        assert (record.epoch, record.phase, record.sync) == (2, Phase.STEADY, Sync.OFF)
        assert record.model_extra == {}


@pytest.mark.requirement("an operator signs by one command, which says what is to be done after it")
def test_the_command(moved: SignedPair, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(access, "signing_witness", lambda _pair, _environment: signs(moved, demanded=True))
    words = ["witness", "sign", "rdc-a", "--epoch", "2", "--active"]
    before = moved.text()
    assert run([*words, "singapore"]) == ExitCode.WORDS
    assert run([*words, "frankfurt"]) == ExitCode.FAILED
    assert moved.text() == before
    assert run([*words, "dublin"]) == 0
    assert present(moved.witness().see().record).reason == "signed by hand"
    assert run([*words, "dublin", "--replace"]) == 0
    said = capfd.readouterr()
    assert "expected one of frankfurt, dublin" in said.err + said.out
    assert "or add --replace" in said.err + said.out
    assert "rdc-a: signed, epoch 2, dublin active" in said.err + said.out


def test_a_record_that_is_not_believed_says_nothing_of_an_operators_keys(
    moved: SignedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    (moved.base / "rdc-a").symlink_to(moved.keys)
    monkeypatch.setattr(own_keys, "witness_in", lambda _access, _pair, user: moved.witness(user))
    moved.write("nothing")
    found = own_keys.own_keys(WitnessAccess.model_validate({"witnessKeys": str(moved.base)}), "rdc-a")
    assert found.operator == ""
    assert "operator.crt" in found.ends


def test_a_new_record_is_newer_than_what_was_lost(moved: SignedPair) -> None:
    """Also where clocks say otherwise: the last writer's was ahead."""
    moved.later = timedelta(days=2)
    moved.move("frankfurt")
    moved.later = timedelta()
    agent, other = moved.witness(FRANKFURT), moved.witness(DUBLIN)
    agent.see()
    other.see()
    del moved.etcd.entries[b"/shopsphere/rdc-a/record"]
    lost = PairRecord.first("rdc-a", "frankfurt", actor="agent").changed(actor="agent", reason="lost", epoch=3)
    agent.change(agent.see(), lost)
    assert present(other.see().record).reason == "lost"


def test_keys_that_cannot_sign_are_named(moved: SignedPair) -> None:
    agent = moved.witness(DUBLIN)
    seen = agent.see()
    (moved.keys / f"{DUBLIN}.key").write_bytes((moved.keys / "watcher.key").read_bytes())
    with pytest.raises(WitnessKeysError, match="is not the key of"):
        agent.change(seen, present(seen.record).changed(actor="agent", reason="waits"))


def test_an_authority_that_cannot_be_read_is_named(moved: SignedPair) -> None:
    reader = moved.witness()
    known = reader.see().record
    moved.move("frankfurt")
    (moved.keys / "ca.crt").write_text("")
    with pytest.raises(WitnessKeysError, match="who may sign for rdc-a is not known"):
        reader.see()
    assert reader.belief.last == known


def test_a_certificate_of_another_kind_is_no_signers() -> None:
    from shopsphere.foundation.signing import Signature, signer_of  # noqa: PLC0415 beside its one use

    with pytest.raises(NotSignedError, match="cannot be read"):
        signer_of(Signature(certificate="eA==", value="eA=="), "kind", "words", (), datetime.now().astimezone())


def test_a_new_pair_is_signed_from_the_start(pair: SignedPair) -> None:
    agent = pair.first()
    words = pair.words()
    assert words["epoch"] == 1
    assert words["signature"]
    assert words["decision"] is None, "no operator was there"
    assert pair.witness().see().record == agent.see().record
    pair.move("dublin", epoch=1 + 1)
    assert pair.words()["decision"]
