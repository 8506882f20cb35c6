"""Where the voters of a pair's witness sit: outside the pair, and never an even number of them."""

from __future__ import annotations

from shopsphere.topology import Pair, Topology

FIRST_CLIENT_PORT = 2480
PORTS_PER_PAIR = 10
"""A site holds seats of several pairs, so each pair has ports of its own."""
SEATS_BESIDE_HEADQUARTERS = 2


def seats(pair: Pair, topology: Topology) -> tuple[str, ...]:
    """Return the sites where a pair's voters sit.

    Headquarters holds one seat, and the first two other pairs, in the order of topology.yaml, hold one each at their
    primary site: the loss of any region takes one voter of three. From three regions on, one that is appended to
    topology.yaml takes no seat away from another, so the voters of a running witness stay who they are. Where there is
    only one other pair, it holds a seat at each of its sites; a pair that is alone has headquarters as its only voter.
    """
    others = [other for other in topology.pairs.values() if other.name != pair.name]
    sites = [other.primary for other in others] + [other.recovery for other in others]
    return (topology.headquarters, *sites[:SEATS_BESIDE_HEADQUARTERS])


def ports(pair: Pair, topology: Topology) -> tuple[int, int]:
    """Return where a pair's voters answer clients and each other; a pair that is appended moves no other's."""
    first = FIRST_CLIENT_PORT + PORTS_PER_PAIR * list(topology.pairs).index(pair.name)
    return first, first + 1


def client_url(pair: Pair, seat: str, topology: Topology) -> str:
    """Return where a voter answers clients."""
    return f"https://{topology.site(seat).address}:{ports(pair, topology)[0]}"


def peer_url(pair: Pair, seat: str, topology: Topology) -> str:
    """Return where a voter is reached by the others."""
    return f"https://{topology.site(seat).address}:{ports(pair, topology)[1]}"


def client_urls(pair: Pair, topology: Topology) -> tuple[str, ...]:
    """Return where a pair's voters answer clients, the nearest to its primary site first."""
    near = sorted(seats(pair, topology), key=lambda seat: topology.rtt_ms(pair.primary, seat))
    return tuple(client_url(pair, seat, topology) for seat in near)


def change_ms(pair: Pair, seat: str, topology: Topology) -> float:
    """Return how long a change of a pair's witness takes while the voter at a seat leads it (ms).

    That is the way from the farther of the pair's sites and back, and the one from there to the nearest other voter:
    two of three voters have to have the change.
    """
    others = [each for each in seats(pair, topology) if each != seat]
    agreed = min((topology.rtt_ms(seat, each) for each in others), default=0.0)
    return max(topology.rtt_ms(site, seat) for site in pair.sites) + agreed


def quickest_peers(pair: Pair, topology: Topology) -> tuple[str, ...]:
    """Return where a pair's voters reach each other, first the one under whose lead a change takes least."""
    quickest = sorted(seats(pair, topology), key=lambda seat: change_ms(pair, seat, topology))
    return tuple(peer_url(pair, seat, topology) for seat in quickest)
