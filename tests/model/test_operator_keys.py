"""Operators are who their key says: in what they sign, and in records of runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from named_operators import ANNA, BERT, move_as, with_operators
from present import present
from signed_pair import DUBLIN, FRANKFURT, RECORD_KIND, SignedPair, Words, canonical

from cli.main import run
from lab import witness as lab_witness
from runbooks.operator_lock import owner_now
from runbooks.readiness import p07_witness
from shopsphere.estate.access import WitnessAccess
from shopsphere.foundation.certificates import KeyPair, issue
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.signing import authorities_in, signer_of
from shopsphere.topology import load_topology
from shopsphere.witness import Witness, own_keys
from shopsphere.witness.belief import OlderRecordError, UnbelievedRecordError
from shopsphere.witness.identity import Identity, WitnessKeysError
from shopsphere.witness.keys import declared_operators, make_keys, withdraw
from shopsphere.witness.operators import VARIABLE, acting_as, operator_here, said_operator
from shopsphere.witness.seen import Seen
from shopsphere.witness.users import OPERATOR, WATCHER, operator_user

pytestmark = pytest.mark.requirement("operators are who their key says")


@pytest.fixture
def pair(tmp_path: Path) -> SignedPair:
    return with_operators(tmp_path)


def test_a_record_names_whose_key_signed(pair: SignedPair) -> None:
    moved = move_as(pair, ANNA, "dublin")
    for reader in (WATCHER, FRANKFURT, DUBLIN, OPERATOR, BERT):
        record = present(pair.witness(reader).see().record)
        assert record.actor == moved.actor
        assert record.actor.startswith("operator-anna: ")
    assert json.loads(pair.words()["decision"]["text"])["actor"] == moved.actor


def test_an_earlier_version_believes_it(pair: SignedPair) -> None:
    """It knows one operator, by the organisation of the certificate, which has to be all that its subject holds."""
    record = move_as(pair, ANNA, "dublin")
    words = pair.words()
    content = canonical({name: value for name, value in words.items() if name != "signature"})
    authorities = authorities_in(pair.keys / "ca.crt")
    assert signer_of(present(record.signature), RECORD_KIND, content, authorities, pair.today()) == "operator"


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        (ANNA, "operator-bert: root at desk"),
        (ANNA, "root at desk"),
        (OPERATOR, "operator-anna: root at desk"),
        (ANNA, "operator: root at desk"),
        (ANNA, "operator-anna root at desk"),
    ],
)
def test_nobody_signs_in_another_name(pair: SignedPair, user: str, actor: str) -> None:
    with pytest.raises(UnbelievedRecordError, match=f"{user} has signed it, and it says that it is by"):
        move_as(pair, user, "dublin", actor)
    decision = pair.decision(user, epoch=2, active="dublin", actor=actor)
    true: Words = {"epoch": 2, "active": "dublin", "actor": acting_as(user)}
    for forged in (
        pair.forge(user, **{**true, "actor": actor}, decision=pair.decision(user, **true)),
        pair.forge(user, **true, decision=decision),
    ):
        pair.write(forged)
        with pytest.raises(UnbelievedRecordError, match=f"{user} has signed it, and it says that it is by"):
            pair.witness().see()
    pair.write(pair.forge(user, **true, decision=pair.decision(user, **true)))
    assert present(pair.witness().see().record).epoch == 2


def test_an_agent_blames_no_operator_for_what_he_has_not_decided(pair: SignedPair) -> None:
    """As with a permit that somebody has edited in the site's API."""
    move_as(pair, ANNA, "dublin")
    true, words = pair.text(), pair.words()
    for actor, good in ((acting_as(BERT), False), (words["actor"], True), ("agent of dublin", True)):
        pair.write(true)
        pair.write(pair.forge(DUBLIN, actor=actor, sync="off"))
        if good:
            assert present(pair.witness().see().record).actor == actor
        else:
            with pytest.raises(UnbelievedRecordError, match=r"by 'operator-bert: .*, who has not decided this epoch"):
                pair.witness().see()


@pytest.mark.parametrize(
    ("organisation", "names"),
    [
        ("operator", ("shopsphere:operator:Anna",)),
        ("operator", ("shopsphere:operator:anna", "shopsphere:operator:bert")),
        ("operator", ("shopsphere:operator:",)),
        ("operator", ("other:operator:anna",)),
        ("operator", ("anna",)),
        ("operator-anna", ()),
        ("operator-anna", ("shopsphere:operator:anna",)),
    ],
)
def test_a_certificate_that_names_nobody(pair: SignedPair, organisation: str, names: tuple[str, ...]) -> None:
    strange = pair.base / "strange"
    made = KeyPair(strange / "odd.crt", strange / "odd.key")
    issue(KeyPair(pair.keys / "ca.crt", pair.keys / "ca.key"), made, organisation=organisation, alternatives=names)
    pair.write(pair.forge("odd", strange, phase="fencing"))
    with pytest.raises(UnbelievedRecordError, match="names an operator in a way that this version does not know"):
        pair.witness().see()


@pytest.mark.parametrize("sync", ["on", "off"])
def test_what_is_built_on_an_older_record_is_refused(pair: SignedPair, sync: str) -> None:
    """As for those who share a key; agents alone may know less than others, with sync off."""
    agent = pair.witness(FRANKFURT)
    agent.see()
    shown = {"after": pair.words()["serial"] - 1, "writer": "shown-an-older-one", "sync": sync}
    pair.write(pair.forge(ANNA, **shown, actor=acting_as(ANNA)))
    with pytest.raises(OlderRecordError):
        agent.belief.read(pair.text(), Seen(None, 1, ""))
    assert present(pair.witness().see().record).actor == acting_as(ANNA)


@pytest.mark.parametrize("name", ["", "Anna", "anna bert", "-anna", "anna-", "a--b", "1st", "a" * 33, "änna", "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name of an operator"):
        operator_user(name)


class TestWhoIsHere:
    def test_one_key(self, pair: SignedPair) -> None:
        withdraw(pair.keys, "rdc-a", BERT)
        assert operator_here(pair.keys) == ANNA

    def test_several(self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(
            UsageError,
            match=r"operator-anna, operator-bert\n.*export SHOPSPHERE_OPERATOR=anna`.*`sudo SHOPSPHERE_OPERATOR=anna ",
        ):
            operator_here(pair.keys)
        monkeypatch.setenv(VARIABLE, "bert")
        assert operator_here(pair.keys) == BERT
        monkeypatch.setenv(VARIABLE, "Bert")
        with pytest.raises(UsageError, match="SHOPSPHERE_OPERATOR: 'Bert' is no name"):
            operator_here(pair.keys)

    def test_the_shared_key_by_name(self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, "operator")
        assert operator_here(pair.keys) == OPERATOR

    def test_the_shared_key_in_place_of_ones_own_is_said(
        self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("os.access", lambda path, _mode: Path(path).stem == OPERATOR)
        assert operator_here(pair.keys) == operator_here(pair.keys) == OPERATOR
        said = "".join(capfd.readouterr())
        assert (
            said.count("warning: the key that all operators share is used: this user can read none of operator-anna")
            == 1
        )
        (pair.base / "alone").mkdir()
        (pair.base / "alone" / "operator.key").write_text("")
        assert operator_here(pair.base / "alone") == OPERATOR
        assert "".join(capfd.readouterr()) == "", "nobody has a key of his own here"

    def test_a_key_that_cannot_be_read_is_somebody_elses(
        self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.access", lambda path, mode: mode != os.R_OK or Path(path).stem == BERT)
        assert operator_here(pair.keys) == BERT

    def test_ends_of_others_certificates_are_theirs_to_know(
        self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What cannot be read would look as if it had ended; that of an agent or a watcher is not to be overlooked."""
        monkeypatch.setattr("os.access", lambda path, _mode: Path(path).stem not in {ANNA, "watcher"})
        ends = own_keys.certificate_ends(pair.keys)
        assert {"operator-bert.crt", "operator.crt", "watcher.crt", "ca.crt"} <= ends.keys()
        assert "operator-anna.crt" not in ends

    def test_the_lab_has_one_until_others_are_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
        topology = load_topology()
        lab = topology.pair("rdc-a")
        folder = lab_witness.make_witness_keys(lab, topology)
        assert operator_here(folder) == "operator-lab"
        make_keys(folder, "rdc-a", {}, (ANNA,))
        withdraw(folder, "rdc-a", "operator-lab")
        lab_witness.make_witness_keys(lab, topology)
        assert declared_operators(folder, "rdc-a") == [OPERATOR, ANNA]

    def test_none(self, tmp_path: Path) -> None:
        assert operator_here(tmp_path) == operator_here(tmp_path / "nowhere") == OPERATOR

    def test_what_records_say(self) -> None:
        assert acting_as(ANNA).startswith("operator-anna: ")
        assert said_operator(acting_as(ANNA)) == ANNA
        assert said_operator(acting_as(OPERATOR)) == said_operator("root at desk: here") == OPERATOR
        assert owner_now(acting_as(BERT), "flood").startswith("operator-bert: ")

    def test_readiness_says_that_a_key_is_shared(self, pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
        (pair.base / "rdc-a").symlink_to(pair.keys)
        asked = list[str]()

        def witness_in(_access: WitnessAccess, _pair: str, user: str) -> Witness:
            asked.append(user)
            return pair.witness(user)

        monkeypatch.setattr(own_keys, "witness_in", witness_in)
        access = WitnessAccess.model_validate({"witnessKeys": str(pair.base)})
        assert "several operators have their key here" in own_keys.own_keys(access, "rdc-a").operator
        withdraw(pair.keys, "rdc-a", BERT)
        alone = own_keys.own_keys(access, "rdc-a")
        assert (alone.operator, alone.shared, asked) == ("", False, [ANNA])
        assert p07_witness.judge_operator(alone).found == "keys are believed"
        make_keys(pair.keys, "rdc-a", {}, (OPERATOR,))
        for each in Identity(pair.keys, ANNA).files[1:]:
            each.unlink()
        shared = own_keys.own_keys(access, "rdc-a")
        assert (shared.operator, shared.shared, asked[-1]) == ("", True, OPERATOR)
        assert "SHARED BY ALL OPERATORS" in p07_witness.judge_operator(shared).found
        monkeypatch.setenv(VARIABLE, "bert")
        monkeypatch.setattr(own_keys, "witness_in", no_keys)
        assert own_keys.own_keys(access, "rdc-a").operator == "operator-bert has no keys"


def no_keys(_access: WitnessAccess, _pair: str, user: str) -> None:
    raise WitnessKeysError(f"{user} has no keys")


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["witness", "keys", "rdc-a", str(tmp_path)]
    own = tmp_path / "rdc-a"
    assert run([*words, "--operator", "Anna"]) == 2
    assert not own.exists()
    assert run([*words, "--operator", "anna", "--operator", "watch-hq"]) == 0
    said = "".join(capfd.readouterr())
    assert "operator-anna: ca.crt operator-anna.crt operator-anna.key operator-anna.password" in said
    assert "now `shopsphere witness secure rdc-a`" in said
    assert run([*words, "--operator", "bert", "--without", "operator", "--without", "anna"]) == 0
    said = "".join(capfd.readouterr())
    assert declared_operators(own, "rdc-a") == ["operator-bert", "operator-watch-hq"]
    assert "operator-bert: " in said
    assert "operator-anna: " not in said
    assert run(words) == 0
    said = "".join(capfd.readouterr())
    assert "operator-bert: " in said
    assert "operator.crt" not in said
    assert "witness secure" not in said
    assert not (own / "operator.key").exists()
