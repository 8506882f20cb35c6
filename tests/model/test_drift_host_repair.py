"""A host's rules are loaded again by its agent, never while a role moves; what somebody else loaded is left."""

from __future__ import annotations

from typing import Any

import pytest
from changeable_api import ChangeableApi
from told_hosts import listing, told

from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.repair import Repair
from shopsphere.drift.repair_plan import Action
from shopsphere.drift.repairing import Place, carry_out, plan
from shopsphere.estate.host_firewall import firewall_of
from shopsphere.estate.host_openings import SitePorts
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.finding import Severity
from shopsphere.topology import load_topology

REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
GUARD, FENCE = "nftables ip shopsphere_pod_guard at node-a", "nftables inet shopsphere_fence at node-a"
FIREWALL = "nftables inet shopsphere_firewall at node-a"


def finding(name: str, field: str, kind: Kind) -> Drift:
    facts: dict[str, Any] = {"declared": "", "live": "", "severity": Severity.CRITICAL, "repair": "do it"}
    return Drift(site="frankfurt", object=name, field=field, kind=kind, **facts)


class Site:
    def __init__(self) -> None:
        self.api, self.barred = ChangeableApi({}), ""
        self.places = {"frankfurt": Place(REPAIR, self.api, {}, lambda: self.barred)}


@pytest.mark.requirement("a repair has an agent load its rules again, and touches no table of anybody else")
def test_own_tables_are_loaded_again_once_each() -> None:
    site = Site()
    found = [
        finding(GUARD, "", Kind.MISSING),
        finding(FENCE, "chain forward, rule 1", Kind.REMOVED),
        finding(FENCE, "chain forward, rule 2", Kind.CHANGED),
        finding("nftables inet tap at node-a", "", Kind.UNDECLARED),
        finding("nftables ip kube-proxy at node-a", "chain filter-forward, rule 2", Kind.ADDED),
    ]
    planned = plan(found, site.places)
    assert [each.action for each in planned] == [Action.LOAD] * 3 + [Action.LEAVE] * 2
    outcomes = carry_out(planned, site.places, ())
    assert [each.done for each in outcomes] == ["loaded again"] * 3 + ["", ""]
    assert "its own tables alone" in outcomes[-1].why
    assert site.api.changes == [("load", "rules")] * 2


@pytest.mark.requirement("nothing is repaired while a change of role is under way")
def test_nothing_is_loaded_during_a_change_of_role() -> None:
    site = Site()
    site.barred = "a change of role of rdc-a is under way"
    (planned,) = plan([finding(GUARD, "", Kind.MISSING)], site.places)
    assert (planned.action, planned.why) == (Action.LEAVE, site.barred)
    site.barred = ""
    planned_before = plan([finding(GUARD, "", Kind.MISSING)], site.places)
    site.barred = "it began after the plan"
    (outcome,) = carry_out(planned_before, site.places, ())
    assert (outcome.done, outcome.why, site.api.changes) == ("", site.barred, [])


@pytest.mark.requirement("a repair that loads an old file says so")
def test_a_firewall_of_an_older_topology_is_loaded_and_yet_no_repair() -> None:
    site, topology = Site(), load_topology()
    frankfurt = topology.site("frankfurt")
    place = Place(REPAIR, site.api, {}, lambda: "", firewall=firewall_of(frankfurt, topology))
    site.api.loads.append("inet shopsphere_firewall")
    planned = plan([finding(FIREWALL, "", Kind.MISSING)], {"frankfurt": place})
    former = firewall_of(frankfurt, topology, SitePorts(api_server=443)).listing()
    site.api.told = told([*listing("closed"), *former])
    (outcome,) = carry_out(planned, {"frankfurt": place}, ())
    assert outcome.done == ""
    assert "install-files SITE --firewall" in outcome.why
    site.api.told = told([*listing("closed"), *firewall_of(frankfurt, topology).listing()])
    (outcome,) = carry_out(planned, {"frankfurt": place}, ())
    assert (outcome.done, outcome.why) == ("loaded again", "")


def test_an_agent_that_does_not_load_the_table_has_repaired_nothing() -> None:
    site = Site()
    site.api.loads = ["inet shopsphere_fence"]
    (outcome,) = carry_out(plan([finding(GUARD, "", Kind.MISSING)], site.places), site.places, ())
    assert outcome.done == ""
    assert "has not loaded ip shopsphere_pod_guard" in outcome.why


def test_an_entry_of_the_ignores_is_no_table() -> None:
    site = Site()
    (planned,) = plan([finding(GUARD, "", Kind.IGNORE)], site.places)
    assert planned.action is Action.LEAVE
