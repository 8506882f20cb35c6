"""What the fleet check asks for: one rule for each way by which a class of data may leave its jurisdiction."""

from __future__ import annotations

from dataclasses import dataclass

from policies.fleet.flow import Kind


@dataclass(frozen=True)
class FleetRule:
    """A rule about all stacks together; a violation of it is a path.

    Attributes:
        id: family and number, as in FLT-001.
        name: short name.
        kinds: the flows that it is about.
        reason: why it exists, one sentence.
        remediation: what to do about a violation.
    """

    id: str
    name: str
    kinds: tuple[Kind, ...]
    reason: str
    remediation: str


FLEET_RULES = (
    FleetRule(
        "FLT-001",
        "replication-stays-inside",
        (Kind.REPLICATION,),
        "Each member of a chain of replicas may name a neighbour that it is allowed, and the chain still leads out.",
        "let the member follow, and be followed by, members of its own pair only",
    ),
    FleetRule(
        "FLT-002",
        "backups-stay-inside",
        (Kind.BACKUP, Kind.WAL_ARCHIVE, Kind.RESTORE),
        "A backup is a full copy, and whoever can restore it has it.",
        "keep the archive at the address that topology.yaml gives the jurisdiction, or at a site of it under an "
        "endpoint in its name, and restore it only there",
    ),
    FleetRule(
        "FLT-003",
        "exports-carry-what-may-leave",
        (Kind.EXPORT,),
        "A program passes on what it has read, whatever class its own label names.",
        "let the program read only what may be held where it sends, or send to a site of the jurisdiction",
    ),
    FleetRule(
        "FLT-004",
        "logs-stay-inside",
        (Kind.LOGS,),
        "Logs say who did what; a collector that passes them on passes on the class of what it collects.",
        "ship logs to a collector at a site of the jurisdiction, which passes none on",
    ),
    FleetRule(
        "FLT-005",
        "names-lead-customers-home",
        (Kind.DNS,),
        "Customers send their data to wherever the name of their region leads.",
        "let the name lead to the sites of its pair; addresses stand in topology.yaml",
    ),
    FleetRule(
        "FLT-006",
        "cdn-fetches-what-is-public",
        (Kind.CDN,),
        "What a CDN fetches has left; below other paths than the static ones a gateway hands out its customers' pages.",
        "serve only the paths of topology.yaml (cdn.paths), as a class that it may carry",
    ),
    FleetRule(
        "FLT-007",
        "network-leads-nowhere-else",
        (Kind.EGRESS,),
        "An open way out takes all that its pods hold, also what they were sent by others.",
        "remove the destination, or declare what the workload reaches in shopsphere/estate/workloads.py",
    ),
    FleetRule(
        "FLT-008",
        "credentials-open-own-sites",
        (Kind.CREDENTIAL,),
        "Whoever holds the kubeconfig or the login of another site can read all that is there.",
        "remove the credential; what another jurisdiction may know, its own site sends",
    ),
    FleetRule(
        "FLT-009",
        "volumes-stay-inside",
        (Kind.VOLUME,),
        "A volume on a share or behind a driver is wherever its server is.",
        "use components.pinned_storage and volumes of the site",
    ),
)
BY_KIND = {kind: rule for rule in FLEET_RULES for kind in rule.kinds}
"""The rule of each kind of flow; ways inside a site have none, since nothing leaves by them alone."""
