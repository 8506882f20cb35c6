"""Operators with keys of their own at three real voters: what each may do, and what is left of one who has left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from present import present
from signed_pair import DECISION_KIND, RECORD_KIND, canonical, signed
from witness_voters import ADDRESSES, AGENT, SECONDS, Voters, started_voters

from cli import common
from cli.main import run
from shopsphere.estate import stack_files
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness
from shopsphere.witness.belief import Belief, UnbelievedRecordError
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import declared_operators, hand_out, make_keys, user_files, withdraw
from shopsphere.witness.operators import acting_as
from shopsphere.witness.publishing import StillNeededError, publish_withdrawn, published
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.store import WitnessConflictError, encoded, put
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER, operator_user, users_of
from shopsphere.witness.withdrawn import FILE, withdrawn_in

ANNA, BERT, CARL, MACHINE = (operator_user(name) for name in ("anna", "bert", "carl", "watch-newyork"))
START = "/shopsphere/rdc-a/"
PAIR = load_topology().pair("rdc-a")
pytestmark = pytest.mark.requirement("operators are who their key says")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    """As they were before there were operators with keys of their own."""
    with started_voters(tmp_path_factory.mktemp("operators")) as voters:
        yield voters


@pytest.fixture
def voters(started: Voters) -> Iterator[Voters]:
    """Two persons and a machine have keys of their own, and the pair is in its first epoch."""
    users = (OPERATOR, ANNA, BERT, MACHINE)
    make_keys(started.keys, "rdc-a", dict.fromkeys(ADDRESSES, ADDRESSES), users)
    started.users = users_of(PAIR, users)
    started.secure()
    agent = asking(started, AGENT)
    agent.change(agent.see(), PairRecord.first("rdc-a", "frankfurt", actor="agent of frankfurt"))
    agent.close()
    yield started
    root = started.store(ROOT)
    for key in ("record", "withdrawn"):
        root.call("/v3/kv/deleterange", {"key": encoded(START + key)})
    root.close()
    for left in started.keys.glob("withdrawn.json"):
        left.unlink()


def asking(voters: Voters, user: str, keys: Path | None = None) -> Witness:
    """Ask as one who knows that records are signed."""
    identity = Identity(keys or voters.keys, user)
    belief = Belief("rdc-a", identity, demanded=True)
    if user == AGENT:
        return SiteWitness("rdc-a", voters.urls, identity, site="frankfurt", belief=belief, seconds=SECONDS)
    return SigningWitness("rdc-a", voters.urls, identity, belief=belief, seconds=SECONDS)


def move(witness: Witness, to: str) -> PairRecord:
    lock = witness.lock(acting_as(witness.user), seconds=60)
    try:
        seen = witness.see()
        record = present(seen.record)
        moved = record.changed(actor=acting_as(witness.user), reason="flood", epoch=record.epoch + 1, active=to)
        done, now = witness.attempt(seen, moved, lock=lock)
        assert done
        return present(now.record)
    finally:
        witness.release_lease(lock.lease)


@pytest.mark.parametrize("user", [ANNA, MACHINE, OPERATOR])
def test_each_moves_the_pair_in_his_own_name(voters: Voters, user: str) -> None:
    operator = asking(voters, user)
    assert move(operator, "dublin").actor == acting_as(user)
    for reader in (WATCHER, AGENT, OPERATOR, BERT):
        found = present(asking(voters, reader).see().record)
        assert (found.epoch, found.active, found.actor) == (2, "dublin", acting_as(user))


def test_the_lock_names_who_has_it(voters: Voters) -> None:
    anna, bert = asking(voters, ANNA), asking(voters, BERT)
    lock = anna.lock(f"{acting_as(ANNA)} since noon", seconds=60)
    with pytest.raises(Exception, match=r"found:    operator-anna: .* since noon"):
        bert.lock(acting_as(BERT), seconds=60)
    anna.release_lease(lock.lease)


def test_all_have_one_role(voters: Voters) -> None:
    root = voters.store(ROOT)
    for user in (OPERATOR, ANNA, BERT, MACHINE):
        assert root.call("/v3/auth/user/get", {"name": user})["roles"] == ["operator"]
    root.close()


@pytest.mark.parametrize("key", ["lease", "nodes/frankfurt/n1", "withdrawn", "other"])
def test_what_no_operator_may(voters: Voters, key: str) -> None:
    for user in (ANNA, OPERATOR):
        store = voters.store(user)
        with pytest.raises(WitnessRefusedError, match=f"does not let {user} do this"):
            store.swap([], [put(START + key, "x")], START + "record")
        store.close()


def test_one_password_opens_one_name(voters: Voters, tmp_path: Path) -> None:
    """The password says to the voters who asks, the key says it to everybody else: both have to be his."""
    hand_out(user_files(voters.keys, ANNA), tmp_path)
    for kind in ("crt", "key"):
        (tmp_path / f"{BERT}.{kind}").write_bytes((tmp_path / f"{ANNA}.{kind}").read_bytes())
    (tmp_path / f"{BERT}.password").write_bytes((tmp_path / f"{ANNA}.password").read_bytes())
    with pytest.raises(WitnessRefusedError, match=f"does not know {BERT} by this password"):
        asking(voters, BERT, tmp_path).see()
    (tmp_path / f"{BERT}.password").write_bytes((voters.keys / f"{BERT}.password").read_bytes())
    with pytest.raises(UnbelievedRecordError, match=f"{ANNA} has signed it, and it says that it is by 'operator-bert"):
        move(asking(voters, BERT, tmp_path), "dublin")


def test_who_has_left(voters: Voters, tmp_path: Path) -> None:
    hand_out(user_files(voters.keys, ANNA), tmp_path)
    anna, agent, watcher = (asking(voters, user) for user in (ANNA, AGENT, WATCHER))
    move(anna, "dublin")
    readers = (agent, watcher)
    for each in readers:
        assert present(each.see().record).epoch == 2

    taken = asking(voters, ANNA, tmp_path)
    taken.see()  # it has a token now, good for an hour
    withdraw(voters.keys, "rdc-a", ANNA)
    voters.users = users_of(PAIR, declared_operators(voters.keys, "rdc-a"))
    assert f"user {ANNA}: removed, it is not declared" in voters.secure()
    with pytest.raises(WitnessRefusedError, match=f"does not know {ANNA} by this password"):
        taken.see()

    root = voters.store(ROOT)
    with pytest.raises(StillNeededError, match="operator-anna has signed it, and has left"):
        publish_withdrawn(root, voters.keys, "rdc-a")
    bert = asking(voters, BERT)
    assert isinstance(bert, SigningWitness)
    bert.sign(2, "dublin", acting_as(BERT))
    assert "operator-anna" in publish_withdrawn(root, voters.keys, "rdc-a")
    for each in (*readers, asking(voters, WATCHER), asking(voters, AGENT)):
        assert present(each.see().record).epoch == 2
        assert ANNA in present(each.belief.withdrawn).users

    true = root.read(START + "record")[START + "record"].value
    root.swap([], [put(START + "record", moved_by(tmp_path, ANNA, json.loads(true)))], START + "record")
    for each in (*readers, asking(voters, WATCHER), asking(voters, OPERATOR)):
        with pytest.raises(UnbelievedRecordError, match="operator-anna has signed it, and has left"):
            each.see()
    root.swap([], [put(START + "record", true)], START + "record")
    assert move(bert, "frankfurt").epoch == 3
    root.close()


def commanded(voters: Voters, monkeypatch: pytest.MonkeyPatch, base: Path, keys: Path) -> None:
    """Let commands use this folder of keys."""
    base.mkdir(exist_ok=True)
    (base / "rdc-a").unlink(missing_ok=True)
    (base / "rdc-a").symlink_to(keys)
    said = {"status:witness": {"rdc-a": voters.urls}, "status:witnessKeys": str(base), "status:witnessSigned": True}
    monkeypatch.setattr(common, "lab_is_here", lambda: True)
    monkeypatch.setattr(stack_files, "configuration", lambda _stack: said)


@pytest.mark.parametrize("signed_anew", [False, True])
def test_an_older_copy_of_the_keys_undoes_nothing(
    voters: Voters,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    signed_anew: bool,
) -> None:
    """Bert has left, and Carl was made since; then the folder comes back, or a second keeper has his."""
    older = shutil.copytree(voters.keys, tmp_path / "older")
    secure = ["witness", "secure", "rdc-a"]
    commanded(voters, monkeypatch, tmp_path / "kept", voters.keys)
    withdraw(voters.keys, "rdc-a", BERT)
    make_keys(voters.keys, "rdc-a", {}, (CARL,))
    assert run(secure) == 0
    root = voters.store(ROOT)
    told, users = root.read(START + "withdrawn")[START + "withdrawn"].value, users_there(voters)
    assert CARL in users
    assert BERT not in users

    commanded(voters, monkeypatch, tmp_path / "kept", older)
    if signed_anew:
        withdraw(older, "rdc-a", MACHINE)
        assert present(withdrawn_in(older, "rdc-a")).number > present(withdrawn_in(voters.keys, "rdc-a")).number
    capfd.readouterr()
    assert run(secure) == 1
    assert "nothing was changed: " in (said := "".join(capfd.readouterr()))
    assert not signed_anew or "without operator-bert" in said
    assert users_there(voters) == users
    assert root.read(START + "withdrawn")[START + "withdrawn"].value == told

    assert run([*secure, "--take-list"]) == 0
    assert BERT not in users_there(voters)
    assert not (older / f"{BERT}.key").exists()
    now = present(withdrawn_in(older, "rdc-a"))
    assert set(now.users) == ({BERT, MACHINE} if signed_anew else {BERT})
    assert root.read(START + "withdrawn")[START + "withdrawn"].value == (older / FILE).read_text()
    root.close()


def test_of_two_keepers_at_once_one_is_told(voters: Voters, tmp_path: Path) -> None:
    """Both have looked before either brought his list there."""
    second = shutil.copytree(voters.keys, tmp_path / "second")
    root = voters.store(ROOT)
    seen = published(root, second, "rdc-a")
    withdraw(voters.keys, "rdc-a", BERT)
    assert publish_withdrawn(root, voters.keys, "rdc-a", seen)
    told = root.read(START + "withdrawn")[START + "withdrawn"].value
    withdraw(second, "rdc-a", MACHINE)
    with pytest.raises(WitnessConflictError, match="somebody else has brought another one there"):
        publish_withdrawn(root, second, "rdc-a", seen)
    assert root.read(START + "withdrawn")[START + "withdrawn"].value == told
    root.close()


def users_there(voters: Voters) -> set[str]:
    root = voters.store(ROOT)
    found: set[str] = set(root.call("/v3/auth/user/list", {})["users"])
    root.close()
    return found


def test_the_commands(voters: Voters, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    base = voters.keys.parent
    commanded(voters, monkeypatch, base, voters.keys)
    keys = ["witness", "keys", "rdc-a", str(base)]
    secure, sign = ["witness", "secure", "rdc-a"], ["witness", "sign", "rdc-a", "--epoch", "1", "--active", "frankfurt"]
    monkeypatch.setenv("SHOPSPHERE_OPERATOR", "dora")
    assert run([*keys, "--operator", "dora"]) == 0
    assert run(sign) == 1
    assert "does not know operator-dora by this password" in "".join(capfd.readouterr())
    assert run(secure) == 0
    assert run(sign) == 0
    assert present(asking(voters, WATCHER).see().record).actor.startswith("operator-dora: ")
    assert run([*keys, "--without", "dora"]) == 0
    capfd.readouterr()
    assert run(secure) == 1
    assert "`shopsphere witness sign rdc-a --epoch N --active SITE`" in "".join(capfd.readouterr())
    assert run(sign) == 1, "her keys are gone"
    monkeypatch.setenv("SHOPSPHERE_OPERATOR", "bert")
    assert run(sign) == 0
    capfd.readouterr()
    assert run(secure) == 0
    assert "signatures are not believed any more of operator-dora" in "".join(capfd.readouterr())
    found = asking(voters, WATCHER)
    assert present(found.see().record).actor.startswith("operator-bert: ")
    assert set(present(found.belief.withdrawn).users) == {"operator-dora"}


def moved_by(keys: Path, user: str, words: dict[str, object]) -> str:
    """The next epoch, signed by whoever has these keys, as root of the voters' hosts could write it."""
    said = {"pair": "rdc-a", "epoch": 3, "active": "frankfurt", "actor": acting_as(user), "at": "2027-03-01T04:05:06Z"}
    text = canonical(said)
    decision = {"text": text, "signature": signed(keys, user, DECISION_KIND, text)}
    serial = int(str(words["serial"])) + 1
    del words["signature"]
    made = {
        **words,
        **{name: said[name] for name in ("epoch", "active", "actor")},
        "serial": serial,
        "after": serial - 1,
    }
    made["decision"] = decision
    return canonical({**made, "signature": signed(keys, user, RECORD_KIND, canonical(made))})
