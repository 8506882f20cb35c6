"""The witness: per pair three etcd voters outside the pair, at headquarters and in the two other regions."""

from __future__ import annotations

from lab.component import Component
from lab.paths import disk_directory
from shopsphere.foundation.paths import tools_directory
from shopsphere.topology import Pair, Topology

_FIRST_CLIENT_PORT = 2480
_PORTS_PER_PAIR = 10


def voters(pair: Pair, topology: Topology) -> tuple[str, ...]:
    """Return the hosts of a pair's three voters: headquarters and the other pairs' primary sites."""
    others = [other.primary for name, other in sorted(topology.pairs.items()) if name != pair.name]
    return (topology.headquarters, *others)


def client_url(pair: Pair, voter: str, topology: Topology) -> str:
    """Where a voter answers clients."""
    return f"http://{topology.site(voter).address}:{_ports(pair, topology)[0]}"


def _ports(pair: Pair, topology: Topology) -> tuple[int, int]:
    first = _FIRST_CLIENT_PORT + _PORTS_PER_PAIR * sorted(topology.pairs).index(pair.name)
    return first, first + 1


def witness_component(pair: Pair, voter: str, topology: Topology) -> Component:
    """Return the etcd member of `pair` that runs at `voter`.

    Heartbeat and election time-out follow the longest way between voters (220 ms): etcd asks for a heartbeat of
    about one round trip and ten of them for an election.
    """
    client_port, peer_port = _ports(pair, topology)
    address = topology.site(voter).address
    members = ",".join(f"{name}=http://{topology.site(name).address}:{peer_port}" for name in voters(pair, topology))
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
        "--heartbeat-interval=250",
        "--election-timeout=2500",
        "--auto-compaction-retention=1h",
        "--quota-backend-bytes=67108864",
    )
    return Component(f"witness-{pair.name}", command, priority=5)
