"""Finds the paths by which a class of data would leave its jurisdiction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from policies.fleet.flow import Fleet, Flow, Store
from policies.fleet.rules import BY_KIND
from policies.residency_map import known
from shopsphere.topology import Topology


@dataclass(frozen=True)
class Leak:
    """A class of data at a place where it may not be, and how it comes there.

    Attributes:
        data_class: the class.
        jurisdiction: whose people the data is about.
        homes: sites that may hold it.
        flows: the way, from where the data begins to the flow that takes it out.
    """

    data_class: str
    jurisdiction: str
    homes: frozenset[str]
    flows: tuple[Flow, ...]

    @property
    def last(self) -> Flow:
        """The flow that takes it out."""
        return self.flows[-1]

    @property
    def steps(self) -> tuple[str, ...]:
        """Stores and flows in turn, as people read them."""
        first = f"{self.flows[0].source.name} ({self.data_class}, {self.jurisdiction})"
        return (first, *(word for flow in self.flows for word in (flow.kind.value, flow.target.name)))

    @property
    def allowed(self) -> str:
        """Where the data may be, for messages."""
        return f"{self.data_class} of {self.jurisdiction} at {known(self.homes) or 'no site'}"

    @property
    def path(self) -> str:
        """The way in one line."""
        return " -> ".join(self.steps)

    @property
    def sites(self) -> frozenset[str]:
        """Sites that the data touches on its way."""
        return frozenset(end.site for flow in self.flows for end in (flow.source, flow.target)) - {""}


def leaks(fleet: Fleet, model: Topology) -> list[Leak]:
    """Return one path, a shortest one, for each class, each resource that takes it out, and each place that it reaches.

    Where the data begins in a copy and in its original, the path begins in the original.

    Args:
        fleet: the graph.
        model: the residency map.
    """
    kinds_of_data = sorted({(each, store.jurisdiction) for store in fleet.stores for each in store.classes})
    found: dict[tuple[str, ...], Leak] = {}
    for data_class, jurisdiction in kinds_of_data:
        for leak in _leaks_of(fleet, model, data_class, jurisdiction):
            flow = leak.last
            key = (data_class, jurisdiction, flow.resource.urn, flow.kind, flow.target.name)
            if key not in found or len(leak.flows) < len(found[key].flows):
                found[key] = leak
    return list(found.values())


def may_hold(model: Topology, store: Store, data_class: str, jurisdiction: str) -> bool:
    """Whether a store may hold a class of data about the people of a jurisdiction."""
    if store.archive_of:
        return model.archive_may_hold(store.archive_of, data_class, jurisdiction)
    if not store.site:
        return data_class in store.permits
    return store.site in model.sites_allowed(data_class, jurisdiction)


def _leaks_of(fleet: Fleet, model: Topology, data_class: str, jurisdiction: str) -> Iterator[Leak]:
    """Walk breadth first from every original, and from each copy that no original leads to."""
    homes = model.sites_allowed(data_class, jurisdiction)
    holders = [each for each in fleet.stores if data_class in each.classes and each.jurisdiction == jurisdiction]
    ways: dict[Store, tuple[Flow, ...]] = {}
    for is_copy in (False, True):
        begun = [each for each in holders if each.is_copy is is_copy and each not in ways]
        begun.sort(key=lambda store: not store.is_database)
        ways.update((each, ()) for each in begun)
        waiting = deque(begun)
        while waiting:
            store = waiting.popleft()
            for flow in fleet.out_of(store):
                if not flow.takes(data_class):
                    continue
                way = (*ways[store], flow)
                if not may_hold(model, flow.target, data_class, jurisdiction):
                    if flow.kind in BY_KIND:
                        yield Leak(data_class, jurisdiction, homes, way)
                elif flow.target not in ways:
                    ways[flow.target] = way
                    waiting.append(flow.target)
