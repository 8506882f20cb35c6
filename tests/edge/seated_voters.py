"""Three real voters at their seats' addresses, started as the product starts them: own folders, own keys, own disks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from edge_network import own_network

from cli import common
from shopsphere.estate import stack_files
from shopsphere.estate.witness_seats import client_url, seats
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import load_topology
from shopsphere.witness import Witness, WitnessUnreachableError
from shopsphere.witness.belief import Belief
from shopsphere.witness.gateway import WitnessTlsError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import hand_out, make_keys, voter_files
from shopsphere.witness.securing import Administrator
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.store import Store
from shopsphere.witness.users import OPERATOR, ROOT, is_operator, operator_user, users_of
from shopsphere.witness.voter_start import JOINS, voter_command

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
SEATS = seats(PAIR, TOPOLOGY)
NEWYORK, ASHBURN, SINGAPORE = SEATS
ANNA = operator_user("anna")
SECONDS = 10.0
"""For an answer of one voter: more than between sites, since other tests keep this machine busy."""


class SeatedVoters:
    """Voters by seat.

    Attributes:
        base: has the folder of the pair's keys, by its name, and a folder of each host.
        keys: folder of all keys.
    """

    def __init__(self, base: Path) -> None:
        self.base, self.keys = base, base / PAIR.name
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.users = users_of(PAIR, (OPERATOR, ANNA))
        self.make_keys()
        self.urls = [client_url(PAIR, seat, TOPOLOGY) for seat in SEATS]

    def make_keys(self) -> None:
        """As `shopsphere witness keys` does."""
        # All share one network here, so a voter's own connections may come from any of these addresses.
        addresses = tuple(map(address, SEATS))
        make_keys(self.keys, PAIR.name, dict.fromkeys(SEATS, addresses), (ROOT, *self.users))

    def words(self) -> list[str]:
        """What is typed after `witness keys PAIR FOLDER`: names of voters, as in `make_keys`."""
        return [word for seat in SEATS for each in SEATS for word in ("--voter", f"{seat}={address(each)}")]

    def url(self, seat: str) -> str:
        return client_url(PAIR, seat, TOPOLOGY)

    def bring_files(self, seat: str) -> None:
        """Copy a voter's host its files."""
        hand_out(voter_files(self.keys, seat), self._host(seat) / "keys")

    def start(self, seat: str, *, joins: bool = False) -> None:
        """Start a voter; `joins`: in place of a lost one."""
        self.bring_files(seat)
        host = self._host(seat)
        command = voter_command(
            PAIR, seat, TOPOLOGY, program=tools_directory() / "etcd", data=host / "disk", keys=host / "keys"
        )
        environment = {**os.environ, **dict([JOINS.split("=")])} if joins else None
        # No test cuts power: what is written is there after a kill. So a busy disk stops no voter.
        self._running[seat] = subprocess.Popen(
            [*command, "--unsafe-no-fsync", "--log-level=fatal"],
            start_new_session=True, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start_all(self) -> None:
        for seat in SEATS:
            self.start(seat)
        self.wait()
        with closing(self.store(ROOT)) as store:
            Administrator(store, lambda _line: None).secure(self.users, lambda user: Identity(self.keys, user))

    def wait(self) -> None:
        with closing(Store(self.urls, Identity(self.keys, ROOT))) as store:
            wait_until(lambda: answers(store), what="a quorum", seconds=120, interval=0.2)

    def kill(self, seat: str) -> None:
        process = self._running.pop(seat)
        process.kill()
        process.wait(10)

    def restart(self, seat: str) -> None:
        self.kill(seat)
        self.start(seat)

    def lose(self, seat: str) -> None:
        """A host is gone with its disk."""
        self.kill(seat)
        shutil.rmtree(self._host(seat))

    def lose_disk(self, seat: str) -> None:
        """What a voter that has ended, or was killed, has on its disk is gone."""
        shutil.rmtree(self._host(seat) / "disk", ignore_errors=True)

    def start_if_down(self, seat: str) -> None:
        if seat not in self._running:
            self.start(seat)

    def ended(self, seat: str) -> int:
        """Wait until a voter ends by itself; returns its exit code."""
        return self._running.pop(seat).wait(60)

    def stop_all(self) -> None:
        for seat in list(self._running):
            self.kill(seat)

    def store(self, user: str, *seats_asked: str) -> Store:
        urls = [self.url(seat) for seat in seats_asked] or self.urls
        return Store(urls, Identity(self.keys, user), seconds=SECONDS)

    def witness(self, user: str, keys: Path | None = None, *, seconds: float = SECONDS) -> Witness:
        """Ask as one who knows that records are signed."""
        identity = Identity(keys or self.keys, user)
        kind = SigningWitness if is_operator(user) else Witness
        return kind(PAIR.name, self.urls, identity, belief=Belief(PAIR.name, identity, demanded=True), seconds=seconds)

    def leader(self) -> str:
        """Return the seat of the voter that leads."""
        with closing(self.store(ROOT)) as store:
            members = {each["ID"]: each["name"] for each in store.call("/v3/cluster/member/list", {})["members"]}
            return str(members[store.call("/v3/maintenance/status", {})["leader"]])

    def commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let commands use these voters and keys."""
        said = {
            "status:witness": {PAIR.name: self.urls}, "status:witnessKeys": str(self.base),
            "status:witnessSigned": True,
        }  # fmt: skip
        monkeypatch.setattr(common, "lab_is_here", lambda: True)
        monkeypatch.setattr(stack_files, "configuration", lambda _stack: said)
        monkeypatch.setenv("SHOPSPHERE_OPERATOR", "anna")

    def _host(self, seat: str) -> Path:
        return self.base / "hosts" / seat


def address(site: str) -> str:
    return str(TOPOLOGY.site(site).address)


def answers(store: Store) -> bool:
    try:
        store.read("/nothing")
    except (WitnessUnreachableError, WitnessTlsError):
        return False
    return True


@contextmanager
def seated_voters(base: Path) -> Iterator[SeatedVoters]:
    """Three voters at their seats, with users and rights, and no record."""
    with own_network([address(seat) for seat in SEATS]):
        voters = SeatedVoters(base)
        try:
            voters.start_all()
            yield voters
        finally:
            voters.stop_all()
