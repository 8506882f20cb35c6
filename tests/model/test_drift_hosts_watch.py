"""Hosts under watch: what is found and gone, what cannot be seen is not gone, and both parts of a site are one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from host_injections import GUARD, P, changed, without_table
from manual_clock import ManualClock
from told_hosts import ToldHosts, listing, told

from shopsphere.drift import hosts_watch, watching
from shopsphere.drift.hosts import declared_hosts, look_at_hosts
from shopsphere.drift.hosts_watch import HostsWatch, Joined
from shopsphere.drift.model import SiteDrift, Unseen
from shopsphere.drift.repair import Repair
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("drift --watch tells what somebody changes on a host within ten seconds")

TOPOLOGY = load_topology()
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
OBJECTS = SiteDrift("frankfurt", 50, 60)


class Host:
    """A host whose rules a test changes."""

    def __init__(self) -> None:
        self.rules, self.silent = listing("closed"), False
        self.said: list[SiteDrift] = []
        self.watch = HostsWatch("frankfurt", self.look, self.said.append)

    def look(self) -> SiteDrift:
        if self.silent:
            raise ValueError("nobody foresaw this")
        declared = declared_hosts(
            TOPOLOGY.site("frankfurt"),
            TOPOLOGY,
            paired=True,
            environment=Environment.LAB,
            agent_port=SITE_AGENT_PORT,
        )
        return look_at_hosts(declared, ToldHosts({"frankfurt": lambda: told(self.rules)}), REPAIR, ManualClock())


def test_what_is_found_is_told_once_and_its_end_too() -> None:
    host = Host()
    for _ in range(2):
        host.watch.step()
    assert [(each.drifts, each.unseen) for each in host.said] == [((), ())]
    host.rules = changed(without_table(P))
    for _ in range(2):
        host.watch.step()
    assert [[drift.object for drift in each.drifts] for each in host.said] == [[], [GUARD]]
    host.rules = listing("closed")
    host.watch.step()
    assert host.said[-1].drifts == ()


def test_what_cannot_be_seen_is_not_gone() -> None:
    host = Host()
    host.rules = changed(without_table(P))
    host.watch.step()
    host.silent = True
    for _ in range(2):
        host.watch.step()
    assert len(host.said) == 2
    assert [drift.object for drift in host.said[-1].drifts] == [GUARD]
    assert host.said[-1].unseen[0].why == "ValueError: nobody foresaw this"
    host.silent, host.rules = False, listing("closed")
    host.watch.step()
    assert (host.said[-1].drifts, host.said[-1].unseen) == ((), ())


def test_a_site_is_its_objects_and_its_hosts() -> None:
    said: list[SiteDrift] = []
    joined = Joined("frankfurt", said.append)
    joined.objects(OBJECTS)
    assert [each.why for each in said[-1].unseen] == ["not looked at yet"], "never clean before"
    joined.hosts(SiteDrift("frankfurt", 2, 30))
    assert (said[-1].declared, said[-1].live, said[-1].unseen) == (52, 90, ())
    lost = Unseen("frankfurt", "objects of the kind Pod", "no answer")
    joined.objects(replace(OBJECTS, unseen=(lost,)))
    assert said[-1].unseen == (lost,)


def test_hosts_that_are_known_first_wait_for_the_objects() -> None:
    said: list[SiteDrift] = []
    joined = Joined("frankfurt", said.append)
    joined.hosts(SiteDrift("frankfurt", 2, 30))
    assert said == []
    joined.objects(OBJECTS)
    assert said[-1].declared == 52


def test_the_watch_of_a_site_asks_its_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is stopped, also where the watch of the objects fails: then both begin anew together."""
    host, said = Host(), list[SiteDrift]()

    class Objects:
        def __init__(self, *given: Callable[[SiteDrift], object]) -> None:
            self.publish = given[-1]

        def run(self, stopped: threading.Event, alive: Callable[[], object]) -> None:
            alive()
            self.publish(OBJECTS)
            stopped.wait(30)
            raise ValueError("the watch of the objects failed")

    def nothing(*_given: object, **_more: object) -> None:
        return None

    for name in ("look_of", "repair_at", "cluster_of", "rules_of", "rights_at"):
        monkeypatch.setattr(watching, name, nothing)
    monkeypatch.setattr(watching, "SiteWatch", Objects)
    monkeypatch.setattr(watching, "look_at_hosts", lambda *_: host.look())
    monkeypatch.setattr(hosts_watch, "POLL_SECONDS", 0.02)
    stopped = threading.Event()
    stack = site_stack(TOPOLOGY, "frankfurt", Environment.LAB)

    def begin() -> None:
        with pytest.raises(ValueError, match="objects failed"):
            watching.begin(TOPOLOGY, stack, said.append, stopped, lambda: None)

    thread = threading.Thread(target=begin)
    thread.start()
    try:
        wait_until(lambda: said, what="the site", seconds=60, interval=0.01)
        assert said[-1].unseen == ()
        host.rules = changed(without_table(P))
        wait_until(lambda: said[-1].drifts, what="the finding", seconds=60, interval=0.01)
    finally:
        stopped.set()
        thread.join(10)
    assert not thread.is_alive()
    name = "hosts of frankfurt"
    wait_until(
        lambda: not any(each.name == name and each.is_alive() for each in threading.enumerate()),
        what="the end of the looks",
        seconds=60,
        interval=0.01,
    )


def test_a_host_that_is_never_seen_keeps_no_finding_of_another_one() -> None:
    said: list[SiteDrift] = []
    host = Host()
    host.rules = changed(without_table(P))
    (drift,) = host.look().drifts
    unseen = (Unseen("frankfurt", "the rules of host node-b", "no answer"),)
    looks = iter([SiteDrift("frankfurt", 2, 30, (drift,), unseen), SiteDrift("frankfurt", 2, 30, (), unseen)])
    watch = HostsWatch("frankfurt", lambda: next(looks), said.append)
    watch.step()
    watch.step()
    assert [len(each.drifts) for each in said] == [1, 0]
