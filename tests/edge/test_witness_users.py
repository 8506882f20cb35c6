"""Who may do what at a witness, tried against three real voters: watchers, operators, agents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from present import present
from witness_voters import AGENT, Voters

from shopsphere.estate.access import WitnessAccess
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.files import write_whole
from shopsphere.witness import PairRecord, Phase, Witness, WitnessUnreachableError
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import hand_out, user_files
from shopsphere.witness.leading import let_quickest_lead
from shopsphere.witness.own_keys import own_keys
from shopsphere.witness.securing import Administrator
from shopsphere.witness.store import Store, encoded, put
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER

RECORD, LEASE, RUNBOOK = (f"/shopsphere/rdc-a/{key}" for key in ("record", "lease", "runbook"))


def machine(voters: Voters, name: str) -> tuple[Path, Witness]:
    """A machine with keys of a watcher of its own: their folder, and the witness asked with them."""
    own = voters.keys.parent / name
    hand_out(user_files(voters.keys, WATCHER), own)
    return own, Witness("rdc-a", voters.urls, Identity(own, WATCHER))


def write(store: Store, key: str) -> None:
    store.swap([], [put(key, "x")], key)


def write_nested(store: Store, key: str) -> None:
    """Write inside a transaction inside a transaction; etcd 3.6.8 did not look there."""
    store.swap([], [{"requestTxn": {"success": [put(key, "x")]}}], key)


def read_nested(store: Store, key: str) -> None:
    store.swap([], [{"requestTxn": {"success": [{"requestRange": {"key": encoded(key)}}]}}], key)


def delete_everything(store: Store) -> None:
    store.call("/v3/kv/deleterange", {"key": encoded("/"), "range_end": encoded("0")})


def take_a_seat(store: Store) -> None:
    store.call("/v3/cluster/member/add", {"peerURLs": ["https://10.97.0.9:2380"]})


def become_root(store: Store) -> None:
    store.call("/v3/auth/user/grant", {"user": WATCHER, "role": ROOT})


def open_for_all(store: Store) -> None:
    store.call("/v3/auth/disable", {})


OTHER = "/shopsphere/rdc-b/record"
ATTEMPTS: dict[str, Callable[[Store], object]] = {
    "record of another pair": lambda store: write(store, OTHER),
    "record of another pair, nested": lambda store: write_nested(store, OTHER),
    "read another pair": lambda store: store.read(OTHER),
    "read another pair, nested": lambda store: read_nested(store, OTHER),
    "delete everything": delete_everything,
    "take a seat": take_a_seat,
    "become root": become_root,
    "open for all": open_for_all,
}
MAY = {WATCHER: set[str](), OPERATOR: {"record", "lock"}, AGENT: {"record", "lease"}}


@pytest.mark.requirement("agents, operators and watchers may do at the witness what they are for, and nothing else")
@pytest.mark.parametrize("user", MAY)
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_nobody_may(voters: Voters, before: PairRecord, user: str, attempt: str) -> None:
    store = voters.store(user)
    with pytest.raises(WitnessRefusedError, match=f"does not let {user} do this"):
        ATTEMPTS[attempt](store)
    store.close()


@pytest.mark.parametrize("user", MAY)
@pytest.mark.parametrize("key", ["record", "lease", "lock"])
@pytest.mark.parametrize("attempt", [write, write_nested])
def test_which_key_is_whose(voters: Voters, user: str, key: str, attempt: Callable[[Store, str], None]) -> None:
    store, root = voters.store(user), voters.store(ROOT)
    name = {"record": RECORD, "lease": LEASE, "lock": RUNBOOK}[key]
    was = root.read(name).get(name)
    try:
        if key in MAY[user]:
            attempt(store, name)
        else:
            with pytest.raises(WitnessRefusedError):
                attempt(store, name)
            assert root.read(name).get(name) == was
    finally:
        restored = put(name, was.value) if was else {"requestDeleteRange": {"key": encoded(name)}}
        root.swap([], [restored], name)
        store.close()
        root.close()


@pytest.mark.requirement("a pair is moved, led and watched by the users that are there for it")
def test_each_does_its_work(voters: Voters) -> None:
    agent, operator, watcher = (voters.witness(user) for user in (AGENT, OPERATOR, WATCHER))
    lease = agent.prepare_lease(seconds=60)
    agent.take_lease(agent.see(), "frankfurt", lease)
    assert agent.renew_lease(lease)
    lock = operator.lock("anna", seconds=60)
    seen = operator.see()
    draining = present(seen.record).changed(actor="anna", reason="test", phase=Phase.DRAINING)
    assert operator.attempt(seen, draining, lock=lock)[0]
    now = watcher.see()
    assert (present(now.record).phase, now.lease_holder) == (Phase.DRAINING, "frankfurt")
    assert present(watcher.locked_by()).value == "anna"
    for who in (watcher, operator):
        assert 58 <= who.seconds_left(now) <= 60
    steady = present(now.record).changed(actor="anna", reason="test", phase=Phase.STEADY)
    assert operator.attempt(now, steady, lock=lock)[0]
    agent.release_lease(lease)
    operator.release_lease(lock.lease)
    assert watcher.see().lease_holder == ""
    assert watcher.seconds_left(now) < 1, "it has ended"
    assert watcher.seconds_left(watcher.see()) == 0
    for each in watcher.each_voter():
        assert (each.problem, each.quota) == ("", 2 * 2**30)
        assert 820 < (present(each.ends) - datetime.now(UTC)).days < 826
        assert 0 < present(each.in_use) <= present(each.size)
    for witness in (agent, operator, watcher):
        witness.close()


@pytest.mark.requirement("a token that is older than a change of users is replaced, and nobody notices")
def test_changes_of_users_are_not_felt(voters: Voters, before: PairRecord) -> None:
    watcher = voters.witness(WATCHER)
    assert watcher.see().record == before
    root = voters.store(ROOT)
    root.call("/v3/auth/user/add", {"name": "former", "password": "former"})
    root.call("/v3/auth/role/grant", {"name": WATCHER, "perm": {"permType": "READWRITE", "key": encoded(RECORD)}})
    assert watcher.see().record == before
    told = voters.secure()
    assert told == ["role watcher: a right to READWRITE taken away", "user former: removed, it is not declared"]
    assert voters.secure() == []
    assert watcher.see().record == before
    store = voters.store(WATCHER)
    with pytest.raises(WitnessRefusedError):
        write(store, RECORD)
    for each in (watcher, root, store):
        each.close()


@pytest.mark.requirement("a new password counts at once for who has it, and the old one does not any more")
def test_a_password_is_changed(voters: Voters, before: PairRecord) -> None:
    own, laptop = machine(voters, "laptop")
    assert laptop.see().record == before
    write_whole(voters.identity(WATCHER).files[-1], "another, of 256 bits\n", mode=0o600)
    assert voters.secure() == ["user watcher: password changed"]
    with pytest.raises(WitnessRefusedError, match="by this password"):
        laptop.see()
    hand_out(user_files(voters.keys, WATCHER), own)
    assert laptop.see().record == before, "without being started anew"
    laptop.close()


@pytest.mark.requirement("an operator whose keys are not believed is told before a failover, and a watcher needs none")
def test_the_keys_of_an_operator_are_tried(voters: Voters, tmp_path: Path) -> None:
    own = tmp_path / "rdc-a"
    access = WitnessAccess.model_validate({"witness": {"rdc-a": voters.urls}, "witnessKeys": str(tmp_path)})
    hand_out(user_files(voters.keys, WATCHER), own)
    assert own_keys(access, "rdc-a").operator == ""
    hand_out(user_files(voters.keys, OPERATOR), own)
    good = own_keys(access, "rdc-a")
    assert (set(good.ends), good.operator) == ({"ca.crt", "watcher.crt", "operator.crt"}, "")
    write_whole(own / "operator.password", "an old one\n")
    assert "does not know operator by this password" in own_keys(access, "rdc-a").operator
    (own / "operator.key").unlink()
    assert "operator.key: No such file" in own_keys(access, "rdc-a").operator
    elsewhere = access.model_copy(update={"witness": {"rdc-a": ("https://10.97.0.1:1",)}})
    hand_out(user_files(voters.keys, OPERATOR), own)
    assert own_keys(elsewhere, "rdc-a").operator == "", "a witness that is away says nothing of keys"


@pytest.mark.requirement("keys that are half replaced take no lease away")
def test_keys_that_do_not_fit_for_a_moment(voters: Voters, before: PairRecord) -> None:
    own, host = machine(voters, "host")
    assert host.see().record == before
    write_whole(own / "watcher.key", voters.identity(OPERATOR).files[2].read_text(), mode=0o600)
    assert host.see().record == before
    hand_out(user_files(voters.keys, WATCHER), own)
    assert host.see().record == before
    host.close()


@pytest.mark.requirement("keys that are missing are named, with what makes them")
def test_keys_that_are_missing(voters: Voters) -> None:
    with pytest.raises(Exception, match=r"nobody\.crt") as raised:
        voters.witness("nobody").see()
    assert "shopsphere witness keys" in str(raised.value)


@pytest.mark.requirement("a full witness takes changes again after who has the keys of root has cleaned it up")
def test_an_alarm_is_ended(voters: Voters, before: PairRecord) -> None:
    root, operator = voters.store(ROOT), voters.witness(OPERATOR)
    member = root.call("/v3/cluster/member/list", {})["members"][0]["ID"]
    root.call("/v3/maintenance/alarm", {"action": "ACTIVATE", "alarm": "NOSPACE", "memberID": member})
    # Each voter comes to it by itself, also to the alarm's end.
    wait_until(
        lambda: {each.problem for each in operator.each_voter()} == {"ALARM NOSPACE"}, what="the alarm", seconds=60
    )
    with pytest.raises(WitnessUnreachableError, match="database space exceeded"):
        operator.lock("anna", seconds=60)
    told: list[str] = []
    after = Administrator(root, told.append).tend()
    assert len(after) == len(voters.urls)
    wait_until(lambda: {each.problem for each in operator.each_voter()} == {""}, what="its end", seconds=60)
    assert told == [*(f"{url}: cleaned up" for url in voters.urls), "alarm NOSPACE ended"]
    operator.release_lease(operator.lock("anna", seconds=60).lease)
    operator.close()
    root.close()


@pytest.mark.requirement("the voter leads a witness under which a change takes least")
def test_another_voter_leads_when_it_is_the_quickest(voters: Voters) -> None:
    root, watcher, told = voters.store(ROOT), voters.witness(WATCHER), list[str]()

    def leads(url: str) -> bool:
        return [each.url for each in watcher.each_voter() if each.leads] == [url]

    for url in (*reversed(voters.urls), voters.urls[2]):  # whichever led before, some of these are moves
        quickest = [each.replace(":2379", ":2380") for each in (url, *voters.urls)]
        let_quickest_lead(root, quickest, told.append)
        wait_until(partial(leads, url), what=f"{url} to lead", seconds=60)
        moves = len(told)
        let_quickest_lead(root, quickest, told.append)
        assert len(told) == moves, "it leads already"
    assert moves >= 3
    assert all("leads from now on" in each for each in told)
    watcher.close()
    root.close()
