"""Edits of the event log's tables and of its component, at a site that has one."""

from __future__ import annotations

from seeds.seed import Seed

TABLE, SITE = "shopsphere/estate/event_log.py", "shopsphere/estate/event_log_site.py"
COMPONENT, STACK = "components/event_log.py", "lab-frankfurt"


# fmt: off
EVENTS = (
    Seed("clicks that pass for figures", TABLE, 'Topic(CLICKS, "personal"', 'Topic(CLICKS, "aggregate"', STACK,
          "EVT-001", "topic clicks, class: aggregate"),
    Seed("one topic for what is good and what is bad", TABLE, 'REJECTED = "clicks.rejected"', "REJECTED = CLICKS",
          STACK, "EVT-001", "2 topics named clicks"),
    Seed("clicks kept for a year", TABLE, "hours=CLICK_HOURS, mib=mib", "hours=24 * 365, mib=mib", STACK, "EVT-002",
          "topic clicks: retention.ms"),
    Seed("a topic without an end in size", TABLE, '"retention.bytes": str(self.mib * MEBIBYTE)',
          '"retention.bytes": "-1"', STACK, "EVT-002", "retention.bytes without a bound"),
    Seed("a broker that is asked at a port of its inside", SITE, "ports=(BROKER_PORT,),", "ports=(BROKER_PORT, 9093),",
          STACK, "EVT-003", "9093"),
    Seed("a right that nobody declared", TABLE, '"rights": [right for client in CLIENTS for right in client.rights],',
          '"rights": [{**right, "operation": "ALL"} for client in CLIENTS for right in client.rights],', STACK,
          "EVT-003", "User:collector ALL TOPIC clicks"),
    Seed("two brokers that know nothing of each other", COMPONENT, '"replicas": 1,', '"replicas": 2,', STACK, "EVT-004",
          "spec.replicas: 2"),
    Seed("clicks on a volume of whatever class", COMPONENT,
          '"selector": {"match_labels": {DATA_CLASS_LABEL: KAFKA.data_class}},', '"selector": {},', STACK, "EVT-004",
          "volumes of any class"),
)
# fmt: on
