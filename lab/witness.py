"""The witness: per pair an etcd voter at each of its seats."""

from __future__ import annotations

from itertools import combinations

from lab.component import Component
from lab.paths import disk_directory
from shopsphere.estate.witness_seats import ports, seats
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import Pair, Topology

_ELECTION_ROUND_TRIPS = 7
_ELECTION_HEARTBEATS = 5
_SHORTEST_HEARTBEAT_MS = 100  # etcd's own


def witness_component(pair: Pair, voter: str, topology: Topology) -> Component:
    """Return the etcd member of `pair` that runs at `voter`.

    The election time-out holds seven of the longest round trips between voters and five heartbeats. etcd's advice is
    ten round trips, but an election in which the two voters that are left vote for themselves is held twice, and both
    have to be over before the active site shuts itself off (`runbooks.agent.config.Margins`): nobody is to feel that a
    voter is lost. More heartbeats than that would only wake all voters and the WAN.
    """
    ways = [topology.rtt_ms(one, other) for one, other in combinations(seats(pair, topology), 2)]
    heartbeat = max(_SHORTEST_HEARTBEAT_MS, round(max(ways, default=0) * _ELECTION_ROUND_TRIPS / _ELECTION_HEARTBEATS))
    client_port, peer_port = ports(pair, topology)
    address = topology.site(voter).address
    members = ",".join(f"{name}=http://{topology.site(name).address}:{peer_port}" for name in seats(pair, topology))
    command = (
        # Ahead of the pods: on two busy cores a voter that waits for its turn looks like one that is lost.
        *("nice", "-n", "-10"),
        str(tools_directory() / "etcd"),
        f"--name={voter}",
        f"--data-dir={disk_directory(voter) / f'witness-{pair.name}'}",
        f"--listen-client-urls=http://{address}:{client_port}",
        f"--advertise-client-urls=http://{address}:{client_port}",
        f"--listen-peer-urls=http://{address}:{peer_port}",
        f"--initial-advertise-peer-urls=http://{address}:{peer_port}",
        f"--initial-cluster={members}",
        f"--initial-cluster-token=witness-{pair.name}",
        f"--heartbeat-interval={heartbeat}",
        f"--election-timeout={heartbeat * _ELECTION_HEARTBEATS}",
        "--auto-compaction-retention=1h",
        "--quota-backend-bytes=67108864",
    )
    return Component(f"witness-{pair.name}", command, priority=5)
