"""What the event log keeps ends: by time, as cookies do, and by size, before its volume is full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from policies.events.declared_log import declared, is_declaration, is_event_log, setting, topics
from policies.reading import mapping, nodes, quantity, text, whole_number
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.estate.event_log import HOUR_MS
from shopsphere.foundation.finding import Finding, Severity

SHARE = 2
"""Of the volume a half: what is to be given up is there until somebody looks, and Kafka's own topics are beside it."""


def applies(resource: Resource) -> bool:
    """Return whether it says what is kept, or where."""
    return is_declaration(resource) or is_event_log(resource)


def measure(resource: Resource) -> Iterator[dict[str, Any]]:
    """Yield each topic's bounds, or the size of a volume of the log."""
    if is_event_log(resource):
        for at, claim in enumerate(nodes(resource.props, "spec", "volumeClaimTemplates")):
            place = f"spec.volumeClaimTemplates[{at}].spec.resources.requests.storage"
            yield {"volume": quantity(mapping(claim, "spec", "resources", "requests").get("storage"), place)}
        return
    declared(resource)
    most = 24 * HOUR_MS * topology_of(resource).retention.personal.session_days
    for topic in topics(resource):
        kept, part = setting(topic, "retention.bytes"), setting(topic, "segment.bytes")
        partitions = whole_number(topic, "partitions", default=0)
        yield {
            "topic": text(topic, "name"),
            "ms": setting(topic, "retention.ms"),
            "most": most,
            "bytes": kept,
            "part": part,
            "all": partitions * (kept + part),
        }


def judge(measured: Sequence[tuple[Resource, dict[str, Any]]]) -> Iterator[Finding]:
    """Compare each topic with the longest time, and all of them with the volume."""
    values = [value for _, value in measured]
    bounds = [value for value in values if "topic" in value]
    for value in bounds:
        if not 0 < value["ms"] <= value["most"]:
            yield violation(
                f"topic {value['topic']}: retention.ms {value['ms'] or 'without a bound'}",
                f"1 to {value['most']} ms, as long as a session is kept (topology.yaml, retention)",
            )
        if not 0 < value["part"] <= value["bytes"]:
            yield violation(
                f"topic {value['topic']}: retention.bytes {value['bytes'] or 'without a bound'}, "
                f"segment.bytes {value['part'] or 'not given'}",
                "a bound, and parts no larger than it: only a whole part is given up",
            )
    total = Decimal(sum(value["all"] for value in bounds))
    for volume in (value["volume"] for value in values if "volume" in value):
        if bounds and total * SHARE > volume:
            yield violation(
                f"topics of {total / 2**20:.0f} MiB at the most on a volume of {volume / 2**20:.0f} MiB",
                "half of the volume at the most",
            )


RULE = StackRule(
    id="EVT-002",
    name="retention-is-bounded",
    reason="A log without an end keeps what people did for ever, and stops when its volume is full.",
    severity=Severity.HIGH,
    remediation="set hours and MiB of the topic in shopsphere/estate/event_log.py, or kafka.size in the stack's file",
    applies=applies,
    measure=measure,
    judge=judge,
)
