"""What a voter of a witness is started with: the same in the lab and on a host of its own.

A voter that replaces a lost one needs `JOINS` in its environment for its first start; once it has a disk, etcd reads
neither that nor the members that are named here.

The election time-out holds seven of the longest round trips between voters and five heartbeats. etcd's advice is ten
round trips, but an election in which the two voters that are left vote for themselves is held twice, and both have to
be over before the active site shuts itself off (`runbooks.agent.config.Margins`): nobody is to feel that a voter is
lost. More heartbeats than that would only wake all voters and the WAN.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from shopsphere.estate.witness_seats import client_url, peer_url, seats
from shopsphere.topology import Pair, Topology
from shopsphere.witness.keys import voter_options

JOINS = "ETCD_INITIAL_CLUSTER_STATE=existing"
QUOTA_BYTES = 64 * 1024 * 1024
"""A pair has three keys, changed a few times a minute at most; compacted each hour, they take a hundredth of this."""
_ELECTION_ROUND_TRIPS = 7
_ELECTION_HEARTBEATS = 5
_SHORTEST_HEARTBEAT_MS = 100  # etcd's own


def voter_command(
    pair: Pair, voter: str, topology: Topology, *, program: Path, data: Path, keys: Path
) -> tuple[str, ...]:
    """Return the etcd member of a pair that runs at a seat.

    Args:
        pair: whose witness it is.
        voter: the site where it has its seat.
        topology: addresses, and the ways between the voters.
        program: etcd.
        data: its folder, on a disk.
        keys: folder with what `shopsphere.witness.keys.voter_files` names.
    """
    ways = [topology.rtt_ms(one, other) for one, other in combinations(seats(pair, topology), 2)]
    heartbeat = max(_SHORTEST_HEARTBEAT_MS, round(max(ways, default=0) * _ELECTION_ROUND_TRIPS / _ELECTION_HEARTBEATS))
    client, peer = client_url(pair, voter, topology), peer_url(pair, voter, topology)
    members = ",".join(f"{name}={peer_url(pair, name, topology)}" for name in seats(pair, topology))
    return (
        str(program),
        f"--name={voter}",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={members}",
        f"--initial-cluster-token=witness-{pair.name}",
        f"--heartbeat-interval={heartbeat}",
        f"--election-timeout={heartbeat * _ELECTION_HEARTBEATS}",
        *voter_options(keys, voter),
        "--auto-compaction-retention=1h",
        f"--quota-backend-bytes={QUOTA_BYTES}",
    )
