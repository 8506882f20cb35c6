"""The search for paths on graphs that nobody thought of finds what trying every edge finds, and no less with more."""

from __future__ import annotations

from itertools import pairwise

from fleet_by_hand import by_hand
from hypothesis import given
from hypothesis import strategies as st

from policies.fleet.flow import Fleet, Flow, Kind, Store
from policies.fleet.paths import leaks
from shopsphere.topology import load_topology

MODEL = load_topology()
DECLARES = by_hand()["lab"][0]
EUROPE = ("frankfurt", "dublin")
"""Where the payment data of these graphs, which is European, may be."""
SITES = (*EUROPE, "ashburn", "newyork", "")
Edge = tuple[int, int, bool]
"""From, to, and whether it is limited to another class."""


def stores(places: list[str], holders: set[int], copies: set[int]) -> list[Store]:
    """Stores at places; holders have European payment data."""
    payment = frozenset({"payment"})
    return [
        Store(f"s{at}", place, payment, "eu", is_copy=at in copies)
        if at in holders and place in EUROPE
        else Store(f"s{at}", place)
        for at, place in enumerate(places)
    ]


def flows(found: list[Store], edges: set[Edge]) -> list[Flow]:
    """Exports between stores."""
    return [
        Flow(found[a], found[b], Kind.EXPORT, DECLARES, f"{a}-{b}", frozenset({"public"}) if is_limited else None)
        for a, b, is_limited in sorted(edges)
        if a != b and max(a, b) < len(found)
    ]


def walked(found: list[Store], edges: list[Flow]) -> set[str]:
    """Names of the places that data comes to and must not, by trying every edge until nothing new is reached."""
    reached = {each for each in found if each.classes}
    for _ in found:
        reached |= {
            edge.target
            for edge in edges
            if edge.carries is None and edge.source in reached and (edge.source.site in EUROPE)
        }
    return {each.name for each in reached if each.site not in EUROPE}


PLACES = st.lists(st.sampled_from(SITES), min_size=2, max_size=7)
NUMBERS = st.integers(0, 6)
EDGES = st.sets(st.tuples(NUMBERS, NUMBERS, st.booleans()), max_size=16)


def is_a_walk(steps: tuple[Flow, ...]) -> bool:
    """Whether each flow begins where the one before it ended."""
    return all(a.target == b.source for a, b in pairwise(steps))


@given(PLACES, st.sets(NUMBERS), st.sets(NUMBERS), EDGES)
def test_paths_are_those_that_a_walk_of_all_edges_finds(
    places: list[str], holders: set[int], copies: set[int], edges: set[Edge]
) -> None:
    found = stores(places, holders, copies)
    ways = flows(found, edges)
    leaked = leaks(Fleet(found, ways), MODEL)
    assert {leak.last.target.name for leak in leaked} == walked(found, ways)
    for leak in leaked:
        assert leak.flows[0].source.classes
        assert is_a_walk(leak.flows)
        assert all(flow.takes("payment") for flow in leak.flows)
        assert all(flow.target.site in EUROPE for flow in leak.flows[:-1])


@given(PLACES, st.sets(NUMBERS), EDGES, EDGES)
def test_more_flows_never_hide_a_way_out(
    places: list[str], holders: set[int], edges: set[Edge], more: set[Edge]
) -> None:
    found = stores(places, holders, set())
    before = {leak.last.target.name for leak in leaks(Fleet(found, flows(found, edges)), MODEL)}
    after = {leak.last.target.name for leak in leaks(Fleet(found, flows(found, edges | more)), MODEL)}
    assert before <= after
