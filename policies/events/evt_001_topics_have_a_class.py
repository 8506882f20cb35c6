"""Each topic of the event log has a class of data that its site and its namespace may hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies.events.declared_log import is_declaration, topics
from policies.reading import text
from policies.residency.data_read import strictness
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology import Topology


def check(resource: Resource) -> Iterator[Finding]:
    """Find topics without a class, of one that may not be there, and two of one name."""
    model, site = topology_of(resource), resource.site
    declared = topics(resource)
    if not declared:
        yield violation("no topic", "one topic or more, each with its class")
    for name, count in Counter(text(each, "name") for each in declared).items():
        if count > 1 or not name:
            yield violation(f"{count} topics named {name or 'nothing'}", "a name of its own for each topic")
    own = strictness(model, text(resource.labels, DATA_CLASS_LABEL))
    here = [each for each in model.data_classes if site in model.sites and _may_hold(model, site, each)]
    for topic in declared:
        name, data_class = text(topic, "name"), text(topic, "class")
        if data_class not in here:
            yield violation(f"topic {name}, class: {data_class or 'missing'}", f"{known(here)}, at {site or 'no site'}")
        elif strictness(model, data_class) > own:
            yield violation(f"topic {name}, class: {data_class}", "a class kept no more strictly than its namespace's")


def _may_hold(model: Topology, site: str, data_class: str) -> bool:
    return site in model.sites_allowed(data_class, model.jurisdiction_of(site))


RULE = ResourceRule(
    id="EVT-001",
    name="topics-have-a-class",
    reason="What nobody has classed is kept, copied and sent as if it were nobody's.",
    severity=Severity.CRITICAL,
    remediation="give the topic its class in shopsphere/estate/event_log.py",
    applies=is_declaration,
    check=check,
)
