"""What a certificate opens at a witness, tried against three real voters: nothing without a user, no peer port."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest
from witness_voters import ADDRESSES, AGENT, STRANGER, Voters

from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.witness import PairRecord
from shopsphere.witness.gateway import WitnessRefusedError, WitnessTlsError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import hand_out, make_keys, user_files
from shopsphere.witness.store import Store, encoded, put
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER

RECORD = "/shopsphere/rdc-a/record"
CLIENT = f"https://{ADDRESSES[0]}:2379"


AUTHORITIES = {2379: "ca.crt", 2380: "peers-ca.crt"}


def client(voters: Voters, port: int, certificate: KeyPair | None) -> httpx.Client:
    """A client that believes the voters, and shows this certificate."""
    context = ssl.create_default_context(cafile=str(voters.keys / AUTHORITIES[port]))
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.key)
    return httpx.Client(verify=context, trust_env=False)


def pair(folder: Path, name: str) -> KeyPair:
    return KeyPair(folder / f"{name}.crt", folder / f"{name}.key")


@pytest.mark.requirement("the witness speaks with nobody who has no certificate of its own authority")
@pytest.mark.parametrize("port", [2379, 2380])
@pytest.mark.parametrize("certificate", ["none", "of another authority"])
def test_strangers_are_not_spoken_with(voters: Voters, before: PairRecord, port: int, certificate: str) -> None:
    shown = None
    if certificate != "none":
        other = voters.keys.parent / "other"
        shown = issue(new_authority(other, "witness of rdc-a"), pair(other, "root"), organisation=ROOT)
    for address in ADDRESSES:
        with client(voters, port, shown) as stranger, pytest.raises(httpx.HTTPError):
            stranger.get(f"https://{address}:{port}/version")
        with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.HTTPError):
            stranger.get(f"http://{address}:{port}/version").raise_for_status()


@pytest.mark.requirement("the port among voters is open to voters alone: no user's certificate opens it")
def test_the_port_among_voters(voters: Voters) -> None:
    members = f"https://{ADDRESSES[0]}:2380/members"
    for name in (ROOT, OPERATOR, WATCHER, AGENT, STRANGER, f"voter-{ADDRESSES[1]}"):
        with client(voters, 2380, pair(voters.keys, name)) as asking, pytest.raises(httpx.HTTPError):
            asking.get(members)
    with client(voters, 2380, pair(voters.keys, f"peer-{ADDRESSES[1]}")) as voter:
        assert len(voter.get(members).raise_for_status().json()) == len(ADDRESSES)


@pytest.mark.requirement("a voter's certificate for the port among voters is no user's")
def test_a_voter_is_no_user(voters: Voters) -> None:
    shown = pair(voters.keys, f"peer-{ADDRESSES[1]}")
    with client(voters, 2379, shown) as voter, pytest.raises(httpx.HTTPError):
        voter.get(f"{CLIENT}/version")


@pytest.mark.requirement("a machine whose certificates are not believed is told so: the witness is not lost")
@pytest.mark.parametrize("foreign", ["ca.crt", "watcher"])
def test_certificates_that_are_not_believed(voters: Voters, tmp_path: Path, foreign: str) -> None:
    make_keys(tmp_path / "other", "tests", {}, (WATCHER,))
    hand_out(user_files(voters.keys, WATCHER), tmp_path / "own")
    names = [foreign] if foreign == "ca.crt" else ["watcher.crt", "watcher.key"]
    hand_out([tmp_path / "other" / each for each in names], tmp_path / "own")
    store = Store(voters.urls, Identity(tmp_path / "own", WATCHER))
    with pytest.raises(WitnessTlsError, match="answer, but not to this machine"):
        store.read(RECORD)
    store.close()


@pytest.mark.requirement("a certificate alone changes and reads nothing: a user has a password, and a role")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v3/kv/range", {"key": encoded(RECORD)}),
        ("/v3/kv/txn", {"success": [put(RECORD, "{}")]}),
        ("/v3/kv/txn", {"success": [{"requestTxn": {"success": [put(RECORD, "{}")]}}]}),
        ("/v3/kv/put", {"key": encoded(RECORD), "value": encoded("{}")}),
        ("/v3/kv/deleterange", {"key": encoded("/"), "range_end": encoded("0")}),
        ("/v3/kv/compaction", {"revision": "2"}),
        ("/v3/lease/grant", {"TTL": 60}),
        ("/v3/lease/leases", {}),
        ("/v3/cluster/member/list", {}),
        ("/v3/cluster/member/add", {"peerURLs": ["https://10.97.0.9:2380"]}),
        ("/v3/auth/disable", {}),
        ("/v3/auth/user/add", {"name": "me", "password": "me"}),
        ("/v3/auth/user/list", {}),
        ("/v3/maintenance/alarm", {"action": "GET"}),
        ("/v3/maintenance/alarm", {"action": "ACTIVATE", "alarm": "NOSPACE"}),
        ("/v3/maintenance/alarm", {"action": "DEACTIVATE", "alarm": "NOSPACE"}),
        ("/v3/maintenance/status", {}),
        ("/v3/maintenance/defragment", {}),
        ("/v3/maintenance/snapshot", {}),
    ],
)
def test_a_certificate_is_no_user(voters: Voters, before: PairRecord, path: str, body: dict[str, object]) -> None:
    context = voters.identity(STRANGER).context()
    with httpx.Client(verify=context, trust_env=False, base_url=CLIENT) as stranger:
        refused = stranger.post(path, json=body)
    assert refused.status_code == 400
    assert "etcdserver: user name is empty" in refused.text
    watcher = voters.witness(WATCHER)
    assert not [each.problem for each in watcher.each_voter() if "ALARM" in each.problem]
    watcher.close()


@pytest.mark.requirement("a lease is renewed and ended by those who may write its key, and by nobody else")
@pytest.mark.parametrize("path", ["/v3/lease/keepalive", "/v3/lease/revoke", "/v3/lease/timetolive"])
def test_a_lease_is_left_alone(voters: Voters, path: str) -> None:
    agent, watcher = voters.witness(AGENT), voters.store(WATCHER)
    lease = agent.prepare_lease(seconds=60)
    agent.take_lease(agent.see(), "frankfurt", lease)
    try:
        with httpx.Client(verify=voters.identity(STRANGER).context(), trust_env=False, base_url=CLIENT) as stranger:
            refused = stranger.post(path, json={"ID": lease, "keys": True})
        assert refused.status_code == 400
        assert "etcdserver: user name is empty" in refused.text
        if path != "/v3/lease/timetolive":  # that reads, which a watcher may
            with pytest.raises(WitnessRefusedError, match="permission denied"):
                watcher.call(path, {"ID": lease})
        assert agent.see().lease_holder == "frankfurt"
    finally:
        agent.release_lease(lease)
        agent.close()
        watcher.close()


def test_a_stranger_has_no_password(voters: Voters) -> None:
    store = voters.store(STRANGER)
    with pytest.raises(WitnessRefusedError, match="does not know stranger by this password"):
        store.read(RECORD)
    store.close()


@pytest.mark.requirement("a voter's host alone cannot be taken for another: its certificate names its address")
def test_a_voter_elsewhere_is_no_voter(voters: Voters) -> None:
    context = voters.identity(WATCHER).context()
    with socket.create_connection((ADDRESSES[1], 2379), timeout=5) as line, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(line, server_hostname="10.97.0.9")
