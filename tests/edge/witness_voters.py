"""Three real etcd voters on addresses of this test process's own network, with keys, users and rights."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_network import own_network
from present import present

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness, WitnessUnreachableError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import make_keys, voter_options
from shopsphere.witness.securing import Administrator
from shopsphere.witness.store import Store
from shopsphere.witness.users import ROOT, WATCHER, agent_user, users_of

ADDRESSES = ("10.97.0.1", "10.97.0.2", "10.97.0.3")
AGENT = agent_user("frankfurt")
STRANGER = "stranger"
"""Has a certificate, but is no user."""
SECONDS = 10.0
"""For an answer of one voter: more than between sites, since other tests keep this machine busy."""


class Voters:
    """Voters by address; each can be killed and started again with its disk.

    Attributes:
        keys: folder of all keys.
        users: with their rights.
    """

    def __init__(self, base: Path) -> None:
        self._base, self.keys = base, base / "keys"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.users = users_of(load_topology().pair("rdc-a"))
        # All share one network here, so a voter's own connections may come from any of these addresses.
        make_keys(self.keys, "tests", dict.fromkeys(ADDRESSES, ADDRESSES), (ROOT, *self.users, STRANGER))

    @property
    def urls(self) -> list[str]:
        return [f"https://{address}:2379" for address in ADDRESSES]

    def identity(self, user: str) -> Identity:
        return Identity(self.keys, user)

    def start(self, address: str) -> None:
        members = ",".join(f"{each}=https://{each}:2380" for each in ADDRESSES)
        self._running[address] = subprocess.Popen(
            [
                str(tools_directory() / "etcd"),
                f"--name={address}",
                f"--data-dir={self._base / address}",
                f"--listen-client-urls=https://{address}:2379",
                f"--advertise-client-urls=https://{address}:2379",
                f"--listen-peer-urls=https://{address}:2380",
                f"--initial-advertise-peer-urls=https://{address}:2380",
                f"--initial-cluster={members}",
                *voter_options(self.keys, address),
                # No test cuts power: what is written is there after a kill. So a busy disk stops no voter.
                "--unsafe-no-fsync",
                "--heartbeat-interval=200",
                "--election-timeout=2000",
                "--log-level=error",
            ],
            start_new_session=True,
        )

    def start_all(self) -> None:
        for address in ADDRESSES:
            self.start(address)
        self.wait()
        self.secure()

    def secure(self) -> list[str]:
        """Set users and rights; returns what was changed."""
        told: list[str] = []
        store = self.store(ROOT)
        Administrator(store, told.append).secure(self.users, self.identity)
        store.close()
        return told

    def witness(self, user: str = ROOT, pair: str = "rdc-a") -> Witness:
        return Witness(pair, self.urls, self.identity(user), seconds=SECONDS)

    def store(self, user: str) -> Store:
        return Store(self.urls, self.identity(user), seconds=SECONDS)

    @contextmanager
    def same_record(self) -> Iterator[PairRecord]:
        """Require that the record is not changed meanwhile; yields it."""
        witness = self.witness(WATCHER)
        record = present(witness.see().record)
        yield record
        assert witness.see().record == record
        witness.close()

    def wait(self) -> None:
        store = Store(self.urls, self.identity(ROOT))
        wait_until(lambda: answers(store), what="a quorum", seconds=120, interval=0.2)
        store.close()

    def kill(self, address: str) -> None:
        process = self._running.pop(address)
        process.kill()
        process.wait(10)

    def stop_all(self) -> None:
        for address in list(self._running):
            self.kill(address)


def answers(store: Store) -> bool:
    try:
        store.read("/nothing")
    except WitnessUnreachableError:
        return False
    return True


@contextmanager
def started_voters(base: Path) -> Iterator[Voters]:
    """Three voters with users and rights, and no pair's record."""
    with own_network(list(ADDRESSES)):
        voters = Voters(base)
        try:
            voters.start_all()
            yield voters
        finally:
            voters.stop_all()


@contextmanager
def running_voters(base: Path) -> Iterator[Voters]:
    """Three voters with users and rights, and a pair whose record an agent wrote."""
    with started_voters(base) as voters:
        agent = voters.witness(AGENT)
        agent.change(agent.see(), PairRecord.first("rdc-a", "frankfurt", actor="agent of frankfurt"))
        agent.close()
        yield voters
