"""The witness: per pair an etcd voter at each of its seats."""

from __future__ import annotations

from lab.component import Component
from lab.paths import disk_directory
from shopsphere.estate.witness_seats import ports, seats
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import Pair, Topology


def witness_component(pair: Pair, voter: str, topology: Topology) -> Component:
    """Return the etcd member of `pair` that runs at `voter`.

    The election time-out follows the longest round trip between voters (220 ms): etcd wants it to hold ten round trips
    and five heartbeats. More heartbeats than that would only wake all voters and the WAN.
    """
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
        "--heartbeat-interval=500",
        "--election-timeout=2500",
        "--auto-compaction-retention=1h",
        "--quota-backend-bytes=67108864",
    )
    return Component(f"witness-{pair.name}", command, priority=5)
