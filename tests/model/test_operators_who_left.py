"""An operator who has left: nothing that he signs is believed any more, and what was before stays so."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from named_operators import ANNA, BERT, WITHDRAWN, move_as, with_operators
from present import present
from signed_pair import DUBLIN, FRANKFURT, URLS, SignedPair, canonical, signed

from shopsphere.foundation import certificates
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.topology import load_topology
from shopsphere.witness.belief import Remembered, UnbelievedRecordError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import change_authorities, declared_operators, hand_out, make_keys, user_files, withdraw
from shopsphere.witness.operators import acting_as
from shopsphere.witness.publishing import StillNeededError, publish_withdrawn
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.store import Store, put
from shopsphere.witness.users import OPERATOR, ROOT, users_of
from shopsphere.witness.withdrawn import FILE, add_withdrawn, withdrawn_in

pytestmark = pytest.mark.requirement("operators are who their key says")


@pytest.fixture
def pair(tmp_path: Path) -> SignedPair:
    return with_operators(tmp_path)


def publish(pair: SignedPair) -> str:
    store = Store(URLS, transport=pair.line.transport)
    told = publish_withdrawn(store, pair.keys, "rdc-a")
    store.close()
    return told


def sign_anew(pair: SignedPair, user: str, epoch: int, active: str) -> None:
    identity = Identity(pair.keys, user)
    witness = SigningWitness("rdc-a", URLS, identity, belief=pair.belief(user), transport=pair.line.transport)
    witness.sign(epoch, active, acting_as(user))


def put_withdrawn(pair: SignedPair, text: str) -> None:
    store = Store(URLS, transport=pair.line.transport)
    store.swap([], [put(WITHDRAWN, text)], WITHDRAWN)
    store.close()


def listed(keys: Path, by: str, text: str) -> dict[str, str]:
    return signed(keys, by, "shopsphere withdrawn operators 1", text)


def issued_later(monkeypatch: pytest.MonkeyPatch, later: timedelta) -> None:
    """What is issued from now on begins, and ends, so much later."""
    now = datetime.now(UTC) + later
    monkeypatch.setattr(certificates, "_now", lambda: now)


def test_is_not_believed_and_was_before(pair: SignedPair) -> None:
    move_as(pair, ANNA, "dublin")
    reader, agent = pair.witness(), pair.witness(DUBLIN)
    known = [each.see().record for each in (reader, agent)]
    taken = shutil.copytree(pair.keys, pair.base / "taken")
    withdraw(pair.keys, "rdc-a", ANNA)
    assert declared_operators(pair.keys, "rdc-a") == [OPERATOR, BERT]

    with pytest.raises(StillNeededError, match=r"operator-anna has signed it, and has left\n.*--epoch N --active SITE"):
        publish(pair)
    sign_anew(pair, BERT, 2, "dublin")
    assert publish(pair) == "signatures are not believed any more of operator-anna"
    assert publish(pair) == ""
    for each in (reader, agent, pair.witness(), pair.witness(FRANKFURT)):
        assert present(each.see().record).epoch == 2
    true = pair.text()

    values = {"epoch": 3, "active": "frankfurt", "actor": acting_as(ANNA)}
    decided = pair.decision(ANNA, taken, **values)
    for forged in (
        pair.forge(ANNA, taken, phase="fencing", actor=acting_as(ANNA)),
        pair.forge(ANNA, taken, **values, decision=decided),
        pair.forge(BERT, epoch=3, active="frankfurt", actor=acting_as(BERT), decision=decided),
    ):
        pair.write(forged)
        for each in (reader, agent, pair.witness(), pair.witness(FRANKFURT)):
            with pytest.raises(UnbelievedRecordError, match="operator-anna has signed it, and has left"):
                each.see()
    pair.write(true)
    assert move_as(pair, BERT, "frankfurt").epoch == 3
    assert known[0] == known[1]


def test_what_was_believed_stays_so(pair: SignedPair) -> None:
    """Whoever rules the voters may bring the list there at once: nobody who knows the pair loses it."""
    move_as(pair, ANNA, "dublin")
    agent = pair.witness(DUBLIN)
    agent.see()
    withdraw(pair.keys, "rdc-a", ANNA)
    put_withdrawn(pair, (pair.keys / FILE).read_text())
    seen = agent.see()
    agent.change(seen, present(seen.record).changed(actor="agent of dublin", reason="it waits"))
    again = pair.witness(DUBLIN, remembered=agent.belief.remembered)
    assert present(again.see().record).reason == "it waits"
    with pytest.raises(UnbelievedRecordError, match="operator-anna has signed it, and has left"):
        pair.witness(DUBLIN).see()


def test_agents_remember_it(pair: SignedPair) -> None:
    withdraw(pair.keys, "rdc-a", ANNA)
    publish(pair)
    agent = pair.witness(DUBLIN)
    agent.see()
    kept = Remembered.model_validate_json(present(agent.belief.remembered).model_dump_json())
    put_withdrawn(pair, "")
    again = pair.witness(DUBLIN, remembered=kept)
    again.see()
    assert ANNA in present(again.belief.withdrawn).users
    assert pair.witness().belief.withdrawn is None
    earlier = Remembered.model_validate_json(json.dumps({"text": kept.text, "demands": True}))
    assert pair.witness(DUBLIN, remembered=earlier).belief.withdrawn is None


def test_an_older_list_takes_nothing_back(pair: SignedPair) -> None:
    withdraw(pair.keys, "rdc-a", ANNA)
    first = (pair.keys / FILE).read_text()
    withdraw(pair.keys, "rdc-a", BERT)
    publish(pair)
    reader = pair.witness()
    reader.see()
    put_withdrawn(pair, first)
    reader.see()
    assert set(present(reader.belief.withdrawn).users) == {ANNA, BERT}


@pytest.mark.parametrize("kind", ["words", "a user's key", "another pair", "another authority", "other words"])
def test_a_list_that_nobody_signed_who_may(pair: SignedPair, kind: str) -> None:
    move_as(pair, ANNA, "dublin")
    withdraw(pair.keys, "rdc-a", ANNA)
    good = json.loads((pair.keys / FILE).read_text())
    text = good["text"]
    match kind:
        case "words":
            put_withdrawn(pair, "nobody has left")
        case "a user's key":
            put_withdrawn(pair, canonical({"text": text, "signature": listed(pair.keys, ROOT, text)}))
        case "another pair":
            other = text.replace("rdc-a", "rdc-b")
            put_withdrawn(pair, canonical({"text": other, "signature": listed(pair.keys, "ca", other)}))
        case "another authority":
            make_keys(pair.base / "other", "rdc-a", {}, ())
            put_withdrawn(pair, canonical({"text": text, "signature": listed(pair.base / "other", "ca", text)}))
        case _:
            put_withdrawn(pair, canonical({**good, "text": text.replace("operator-anna", "operator-bert")}))
    reader = pair.witness()
    assert present(reader.see().record).epoch == 2
    assert reader.belief.withdrawn is None


def test_who_comes_back(pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    withdraw(pair.keys, "rdc-a", ANNA)
    publish(pair)
    issued_later(monkeypatch, timedelta(seconds=2))  # certificates tell whole seconds
    make_keys(pair.keys, "rdc-a", {}, (ANNA,))
    assert move_as(pair, ANNA, "dublin").epoch == 2
    assert present(pair.witness().see().record).epoch == 2


def test_a_certificate_of_a_clock_that_was_ahead(
    pair: SignedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What he had when he left counts no more, whatever his certificate says."""
    with monkeypatch.context() as ahead:
        issued_later(ahead, timedelta(days=3))
        make_keys(pair.keys, "rdc-a", {}, ("operator-carl",))
    taken = shutil.copytree(pair.keys, tmp_path / "taken")
    withdraw(pair.keys, "rdc-a", "operator-carl")
    publish(pair)
    pair.later = timedelta(days=4)
    pair.write(pair.forge("operator-carl", taken, phase="fencing", actor=acting_as("operator-carl")))
    with pytest.raises(UnbelievedRecordError, match="operator-carl has signed it, and has left"):
        pair.witness().see()


def test_the_shared_key(pair: SignedPair) -> None:
    move_as(pair, ANNA, "dublin")
    withdraw(pair.keys, "rdc-a", OPERATOR)
    assert declared_operators(pair.keys, "rdc-a") == [ANNA, BERT]
    publish(pair)
    assert not (pair.keys / "operator.key").exists()
    assert present(pair.witness().see().record).epoch == 2


def test_the_shared_key_does_not_come_back(pair: SignedPair) -> None:
    """Also when all certificates have ended that it ever had: others are forgotten then."""
    withdraw(pair.keys, "rdc-a", OPERATOR)
    withdraw(pair.keys, "rdc-a", ANNA)
    later = datetime.now(UTC) + timedelta(days=900)
    add_withdrawn(pair.keys, "rdc-a", "operator-carl", now=later)
    assert set(present(withdrawn_in(pair.keys, "rdc-a")).users) == {OPERATOR, "operator-carl"}
    assert declared_operators(pair.keys, "rdc-a") == [BERT]


def test_a_key_of_who_has_left_makes_no_operator(pair: SignedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where only some of the files came back from an older copy."""
    taken = shutil.copytree(pair.keys, pair.base / "taken")
    withdraw(pair.keys, "rdc-a", OPERATOR)
    withdraw(pair.keys, "rdc-a", ANNA)
    for user in (OPERATOR, ANNA):
        hand_out(user_files(taken, user), pair.keys)
    assert declared_operators(pair.keys, "rdc-a") == [BERT]
    issued_later(monkeypatch, timedelta(seconds=2))
    make_keys(pair.keys, "rdc-a", {}, (OPERATOR, ANNA))
    assert declared_operators(pair.keys, "rdc-a") == [OPERATOR, ANNA, BERT]


def test_a_list_of_who_rules_the_voters_stops_nobody(pair: SignedPair) -> None:
    """As readers do, `secure` believes the pair's authority alone."""
    withdraw(pair.keys, "rdc-a", ANNA)
    text = json.loads((pair.keys / FILE).read_text())["text"].replace(ANNA, BERT)
    put_withdrawn(pair, canonical({"text": text, "signature": listed(pair.keys, ROOT, text)}))
    assert "not believed any more of operator-anna" in publish(pair)


def test_a_list_that_ended_is_not_missed(pair: SignedPair) -> None:
    """Who has left so long ago that no certificate of his is good is on no newer list."""
    add_withdrawn(pair.keys, "rdc-a", BERT, now=datetime.now(UTC) - timedelta(days=900))
    publish(pair)
    withdraw(pair.keys, "rdc-a", ANNA)
    assert "operator-anna" in publish(pair)


def test_the_last_one_stays(pair: SignedPair) -> None:
    withdraw(pair.keys, "rdc-a", OPERATOR)
    withdraw(pair.keys, "rdc-a", ANNA)
    with pytest.raises(UsageError, match="operator-bert was not withdrawn"):
        withdraw(pair.keys, "rdc-a", BERT)
    with pytest.raises(UsageError, match="operator-anna was not withdrawn"):
        withdraw(pair.keys, "rdc-a", ANNA)


def test_another_authority_signs_the_list_anew(pair: SignedPair) -> None:
    withdraw(pair.keys, "rdc-a", ANNA)
    before = (pair.keys / FILE).read_text()
    for step in (Step.BEGIN, Step.SIGN):
        change_authorities(pair.keys, step)
    users = (ROOT, BERT, *users_of(load_topology().pair("rdc-a")))
    make_keys(pair.keys, "rdc-a", {"newyork": ("10.99.0.40",)}, users)
    change_authorities(pair.keys, Step.END)
    assert (pair.keys / FILE).read_text() != before
    assert set(present(withdrawn_in(pair.keys, "rdc-a")).users) == {ANNA}


def test_a_list_that_was_changed_is_no_list(pair: SignedPair) -> None:
    withdraw(pair.keys, "rdc-a", ANNA)
    file = pair.keys / FILE
    file.write_text(file.read_text().replace("operator-anna", "operator-bert"))
    with pytest.raises(ShopSphereError, match="bring back a copy of the folder"):
        declared_operators(pair.keys, "rdc-a")
