"""A rebuild finds out whether each instance gets a volume, and the lab frees those that rebuilds have kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from manual_clock import ManualClock

from lab import volumes
from lab.hosts import load_hosts
from shopsphere.clients.free_volumes import free_places, is_free, node_of
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.topology import load_topology

Document = dict[str, Any]


def volume(name: str, phase: str, node: str = "", *, size: str = "2Gi", claimed: bool = False) -> Document:
    places = [{"key": "shopsphere.io/site", "operator": "In", "values": ["frankfurt"]}]
    places += [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}] if node else []
    return {
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "local": {"path": f"/srv/volumes/{name.partition('-')[2]}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": places}]}},
            **({"claimRef": {"namespace": "data-commerce", "name": f"commerce-{name}"}} if claimed else {}),
        },
        "status": {"phase": phase},
    }


ONE, TWO = "frankfurt", "frankfurt-2"


@pytest.mark.requirement("a rebuild begins only where each instance gets a volume")
@pytest.mark.parametrize(
    ("found", "places"),
    [
        ([volume("frankfurt-v1", "Available", ONE), volume("frankfurt-v1-n2", "Available", TWO)], {ONE, TWO}),
        ([volume("frankfurt-v1", "Available", ONE), volume("frankfurt-v2", "Available", ONE)], {ONE}),
        ([volume("frankfurt-v1", "Available"), volume("frankfurt-v2", "Available")], {"frankfurt-v1", "frankfurt-v2"}),
        ([volume("frankfurt-v1", "Released", ONE, claimed=True), volume("frankfurt-v2", "Bound", ONE)], set()),
        ([volume("frankfurt-v1", "Released", ONE)], {ONE}),  # freed, and the cluster has not said so yet
        ([volume("frankfurt-v1", "Available", ONE, size="1Gi")], set()),
    ],
)
def test_places_for_instances(found: list[Document], places: set[str]) -> None:
    assert free_places(found, "2Gi") == places


class SiteOfTwoNodes:
    """A site with volumes for one rebuild; its controllers take a while to see that a volume is free."""

    def __init__(self, clock: ManualClock, late: float) -> None:
        self.clock, self.late = clock, late
        self.emptied: list[tuple[str, str]] = []
        self.freed: dict[str, float] = {}
        names = [(f"frankfurt-v{number}{end}", node) for number in (1, 2) for end, node in (("", ONE), ("-n2", TWO))]
        self.volumes = {name: volume(name, "Available", node) for name, node in names}
        self.rebuilds = 0

    def kubectl(self, site: str, verb: str, *words: str, **_: object) -> str:
        assert site == "frankfurt"
        if verb == "get":
            return json.dumps({"items": list(self._seen())})
        kind, name, option, patch = words
        assert (verb, kind, option, json.loads(patch)) == (
            "patch",
            "persistentvolume",
            "-p",
            {"spec": {"claimRef": None}},
        )
        assert name in self.volumes
        del self.volumes[name]["spec"]["claimRef"]
        self.freed[name] = self.clock.monotonic()
        return ""

    def _seen(self) -> Iterator[Document]:
        for name, at in list(self.freed.items()):
            if self.clock.monotonic() >= at + self.late:
                self.volumes[name]["status"]["phase"] = "Available"
                del self.freed[name]
        yield from self.volumes.values()

    def run_inside(self, host: str, command: list[str]) -> None:
        self.emptied.append((host, command[1]))

    def rebuild(self) -> None:
        """As the databases' operator does: claims of the old copy go, and each instance binds a free volume."""
        seen = list(self._seen())
        offered = [each for each in seen if each["status"]["phase"] == "Available"]
        assert {node_of(each) for each in offered} == {ONE, TWO}, "kept from earlier"
        for each in seen:
            if each["status"]["phase"] == "Bound":
                each["status"]["phase"] = "Released"
        for node in (ONE, TWO):
            taken = next(each for each in offered if node_of(each) == node)
            taken["status"]["phase"] = "Bound"
            taken["spec"]["claimRef"] = {"namespace": "data-commerce", "name": f"commerce-{self.rebuilds}"}
        self.rebuilds += 1


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SiteOfTwoNodes:
    clock = ManualClock()
    made = SiteOfTwoNodes(clock, getattr(request, "param", 7.0))
    monkeypatch.setattr(volumes, "kubectl", made.kubectl)
    monkeypatch.setattr(volumes, "run_inside", made.run_inside)
    monkeypatch.setattr(volumes, "wait_until", lambda condition, **bound: wait_until(condition, clock=clock, **bound))
    return made


@pytest.mark.requirement("a site of two nodes can be rebuilt sixty times, one right after the other")
def test_sixty_rebuilds(site: SiteOfTwoNodes) -> None:
    host = load_hosts(load_topology()).host("frankfurt")
    for number in range(60):
        freed = volumes.free_volumes(host)
        assert len(freed) == (2 if number > 1 else 0)
        assert all(map(is_free, (site.volumes[name] for name in freed)))
        site.rebuild()
    assert site.rebuilds == 60
    assert set(site.emptied) == {
        (ONE, "/srv/volumes/v1"), (TWO, "/srv/volumes/v1-n2"), (ONE, "/srv/volumes/v2"), (TWO, "/srv/volumes/v2-n2")
    }  # fmt: skip


@pytest.mark.parametrize("site", [1e6], indirect=True)
def test_a_cluster_that_never_offers_them_is_named(site: SiteOfTwoNodes) -> None:
    host = load_hosts(load_topology()).host("frankfurt")
    for _ in range(2):
        volumes.free_volumes(host)
        site.rebuild()
    with pytest.raises(WaitExpiredError, match="frankfurt-v1 Released, frankfurt-v1-n2 Released"):
        volumes.free_volumes(host)
