"""The witness: per pair an etcd voter at each of its seats, and the keys of those who vote and ask."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from lab.cluster.credentials import OPERATORS_MACHINE
from lab.component import Component
from lab.paths import disk_directory, witness_keys_folder
from shopsphere.estate.witness_seats import client_urls, quickest_peers, seats
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import Pair, Topology
from shopsphere.witness import WitnessUnreachableError
from shopsphere.witness.gateway import WitnessTlsError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import declared_operators, hand_out, make_keys, voter_files
from shopsphere.witness.leading import let_quickest_lead
from shopsphere.witness.operators import operators_in
from shopsphere.witness.securing import Administrator
from shopsphere.witness.store import Store
from shopsphere.witness.users import ROOT, Rights, operator_user, users_of
from shopsphere.witness.voter_start import voter_command

_QUORUM_SECONDS = 60.0


def witness_component(pair: Pair, voter: str, topology: Topology) -> Component:
    """Return the etcd member of `pair` that runs at `voter`, with the keys that `hand_out_keys` brings there."""
    etcd = voter_command(
        pair,
        voter,
        topology,
        program=tools_directory() / "etcd",
        data=disk_directory(voter) / f"witness-{pair.name}",
        keys=_folder_of(pair, voter),
    )
    # Ahead of the pods: on two busy cores a voter that waits for its turn looks like one that is lost.
    return Component(f"witness-{pair.name}", ("nice", "-n", "-10", *etcd), priority=5)


def make_witness_keys(pair: Pair, topology: Topology) -> Path:
    """Make what is missing of the keys of a pair's witness, and return the folder that holds them all."""
    folder = witness_keys_folder(pair.name)
    voters = {seat: (str(topology.site(seat).address),) for seat in seats(pair, topology)}
    make_keys(folder, pair.name, voters, (ROOT, *_users(pair, folder)))
    return folder


def _users(pair: Pair, folder: Path) -> Mapping[str, Rights]:
    """Return the users of a pair's witness.

    Whoever works in the lab has a key of his own, beside the one that all share, unless others have one.
    """
    declared = declared_operators(folder, pair.name)
    return users_of(pair, declared if operators_in(folder) else [*declared, operator_user(OPERATORS_MACHINE)])


def secure_witness(pair: Pair, topology: Topology) -> None:
    """Wait for a pair's voters, and let nobody in without a user.

    Raises:
        WaitExpiredError: no quorum answered for `_QUORUM_SECONDS`.
    """
    folder = make_witness_keys(pair, topology)
    store = Store(client_urls(pair, topology), Identity(folder, ROOT))
    administrator = Administrator(store, lambda _line: None)
    with closing(store):

        def secured() -> bool:
            with suppress(WitnessUnreachableError, WitnessTlsError):
                administrator.secure(_users(pair, folder), lambda user: Identity(folder, user))
                return True
            return False

        wait_until(secured, what=f"the witness of {pair.name}", seconds=_QUORUM_SECONDS, interval=0.5)
        let_quickest_lead(store, quickest_peers(pair, topology), lambda _line: None)


def hand_out_keys(pair: Pair, voter: str, topology: Topology) -> None:
    """Bring a voter's keys to the disk of its host."""
    hand_out(voter_files(make_witness_keys(pair, topology), voter), _folder_of(pair, voter))


def _folder_of(pair: Pair, voter: str) -> Path:
    return disk_directory(voter) / f"witness-keys-{pair.name}"
