"""Every metric of the exporter. A rule that names another one fails its test; so does a source that tells another one.

Points in time are Unix times in seconds: `time() - …` in a rule is the age, and it is right however old the answer is.
"""

from __future__ import annotations

from runbooks.metrics.metric import Metric

# About the exporter itself.
PAIR_INFO = Metric(
    "shopsphere_pair_info",
    "1 for each pair that is looked at; there whatever does not answer.",
    ("jurisdiction", "primary", "recovery"),
)
SOURCE_UP = Metric(
    "shopsphere_source_up",
    "1 when the last question to this source was answered; else 0, and the source has no samples.",
    ("source", "site"),
)

# The witness.
SITE_ACTIVE = Metric("shopsphere_site_active", "1 at the site that is active by the witness, else 0.", ("site",))
LEASE_HELD = Metric("shopsphere_lease_held", "1 at the site that holds the lease to write, else 0.", ("site",))
EPOCH = Metric("shopsphere_epoch", "Number of the pair's active reign.")
PHASE = Metric("shopsphere_phase", "1 for the phase that the pair is in, 0 for the others.", ("phase",))
SYNC_ON = Metric("shopsphere_sync_on", "1 while the witness says that a failover would lose no payment, else 0.")
RECORD_CHANGED = Metric(
    "shopsphere_record_changed_timestamp_seconds", "When the witness's record of the pair was changed last."
)
VOTER_UP = Metric("shopsphere_voter_up", "1 while a voter of the witness takes part in the quorum, else 0.", ("voter",))
VOTER_SIZE = Metric("shopsphere_voter_size_bytes", "Size of a voter's store (B).", ("voter",))
VOTER_IN_USE = Metric("shopsphere_voter_in_use_bytes", "What of a voter's store holds entries (B).", ("voter",))
VOTER_QUOTA = Metric("shopsphere_voter_quota_bytes", "Size at which a voter takes no more writes (B).", ("voter",))

# The sites' agents.
DOOR_OPEN = Metric(
    "shopsphere_door_open",
    "1 while a site's agent lets this kind of traffic pass: writes, databases.",
    ("site", "door"),
)
LEASE_LEFT = Metric("shopsphere_lease_left_seconds", "What is left of a site's lease, by its agent (s).", ("site",))
PERMIT_STANDING = Metric(
    "shopsphere_permit_standing", "1 while an operator's permit to write without the witness stands.", ("site",)
)
WITNESS_HEARD = Metric(
    "shopsphere_witness_heard_seconds", "How long ago a site's agent heard from the quorum (s).", ("site",)
)
FENCE_PROVEN = Metric(
    "shopsphere_fence_proven",
    "1 when the last proof of each agent of a site that its fence has effect succeeded, else 0.",
    ("site",),
)
RECORD_BELIEVED = Metric(
    "shopsphere_record_believed",
    "1 when each agent of a site believes the pair's record as the witness had it last, else 0.",
    ("site",),
)

# The sites' clusters.
NODES = Metric("shopsphere_nodes", "Nodes of a site.", ("site",))
NODES_READY = Metric("shopsphere_nodes_ready", "Nodes of a site that are ready.", ("site",))
PODS = Metric("shopsphere_pods", "Pods of a site that have not ended.", ("site",))
PODS_READY = Metric("shopsphere_pods_ready", "Pods of a site that are ready.", ("site",))
POWER_USED = Metric(
    "shopsphere_power_used_watts", "Base load of a site's nodes and what pods are charged (W).", ("site",)
)
POWER_FREE = Metric("shopsphere_power_free_watts", "What further pods of a site can still be charged (W).", ("site",))
POWER_LIMIT = Metric("shopsphere_power_limit_watts", "What a site may draw (W).", ("site",))
POWER_NEAR_LIMIT = Metric(
    "shopsphere_power_near_limit", "1 when a site has reached the topology's warning level of power.", ("site",)
)

# The databases.
DATABASE_UP = Metric(
    "shopsphere_database_up", "1 while a site's database answers, 0 while it does not.", ("site", "database")
)
DATABASE_LEADS = Metric(
    "shopsphere_database_leads", "1 for a database that takes writes, 0 for one that follows.", ("site", "database")
)
DATABASE_SIZE = Metric("shopsphere_database_size_bytes", "Size of a site's database (B).", ("site", "database"))
STREAMING = Metric(
    "shopsphere_replication_streaming",
    "1 while the copy at the other site streams; told by both ends, each for itself.",
    ("site", "database"),
)
SYNCHRONOUS = Metric(
    "shopsphere_replication_synchronous",
    "1 while a commit at this site waits for the other site, by what PostgreSQL does.",
    ("site", "database"),
)
LAG_BYTES = Metric(
    "shopsphere_replication_lag_bytes",
    "Log that is not replayed at the other site, by either end (B).",
    ("site", "database"),
)
LAG_SECONDS = Metric(
    "shopsphere_replication_lag_seconds",
    "How far the copy at this site is behind, by itself (s).",
    ("site", "database"),
)
COMPLETE_COPIES = Metric(
    "shopsphere_complete_copies",
    "Other instances that may lead a database in place of its leading one, at a site of several that takes writes.",
    ("site", "database"),
)
LOG_KEPT = Metric("shopsphere_log_kept_bytes", "Log that is kept for a copy that is away (B).", ("site", "database"))
DISK_USED = Metric(
    "shopsphere_database_disk_used_ratio",
    "Share of a database's fuller volume that is taken, 0 to 1.",
    ("site", "database"),
)

# The shop at the active site, from its own /metrics.
PAYMENTS_UNSETTLED = Metric("shopsphere_payments_unsettled", "Payments whose outcome is not known.", ("site",))
PAYMENTS_PROBLEM = Metric("shopsphere_payments_unsettled_with_problem", "Those that wait for a person.", ("site",))
PAYMENTS_OLDEST = Metric(
    "shopsphere_payments_unsettled_oldest_seconds", "Age of the oldest payment without an outcome (s).", ("site",)
)
PAYMENTS_RECONCILED = Metric(
    "shopsphere_payments_reconciled_seconds", "How long ago payments were compared with the provider (s).", ("site",)
)
PAYMENTS_DIFFERENCES = Metric(
    "shopsphere_payments_reconciliation_differences", "Differences that this comparison found.", ("site",)
)
ORDERS_UNSETTLED = Metric("shopsphere_orders_unsettled", "Orders that wait for their payment.", ("site",))
ORDERS_PROBLEM = Metric("shopsphere_orders_unsettled_with_problem", "Those that wait for a person.", ("site",))
ORDERS_OLDEST = Metric(
    "shopsphere_orders_unsettled_oldest_seconds", "Age of the oldest order without an outcome (s).", ("site",)
)
ORDERS_RECONCILED = Metric(
    "shopsphere_orders_reconciled_seconds", "How long ago orders were compared with payments (s).", ("site",)
)
ORDERS_DIFFERENCES = Metric(
    "shopsphere_orders_reconciliation_differences", "Differences that this comparison found.", ("site",)
)

# The event log, where a pair has one.
EVENT_LOG_READY = Metric(
    "shopsphere_event_log_ready",
    "1 while all pods of a workload of a site's event log are ready, else 0.",
    ("site", "workload"),
)
CLICKS_STILL = Metric(
    "shopsphere_clicks_still_seconds", "How long ago a site's worker had written all that it had read (s).", ("site",)
)
CLICKS_BEHIND = Metric("shopsphere_clicks_behind", "Records of clicks that a site's worker has not read.", ("site",))
CLICKS_BEHIND_SECONDS = Metric(
    "shopsphere_clicks_behind_seconds", "Age of the newest click that a worker which is behind has read (s).", ("site",)
)
EVENT_LOG_CERTIFICATE_ENDS = Metric(
    "shopsphere_event_log_certificate_ends_timestamp_seconds",
    "When the first certificate ends by which a site's worker and the event log know each other.",
    ("site",),
)

# Certificates, records of this machine, readiness.
CERTIFICATE_ENDS = Metric(
    "shopsphere_certificate_ends_timestamp_seconds",
    "When the first certificate under a key of a secret at a site ends.",
    ("site", "namespace", "secret", "key"),
)
CERTIFICATES_UNREADABLE = Metric(
    "shopsphere_certificates_unreadable",
    "Keys of a site's secrets that should hold a certificate and do not.",
    ("site",),
)
WITNESS_CERTIFICATE_ENDS = Metric(
    "shopsphere_witness_certificate_ends_timestamp_seconds",
    "When a certificate of the witness ends: one that a voter shows, or one of the exporter's machine, by its file.",
    ("certificate",),
)
AGENT_CERTIFICATE_ENDS = Metric(
    "shopsphere_agent_certificate_ends_timestamp_seconds",
    "When a certificate ends by which a site's agent is known, at its API server or at the witness.",
    ("site", "node", "certificate"),
)
ROLE_CERTIFICATE_ENDS = Metric(
    "shopsphere_role_certificate_ends_timestamp_seconds",
    "When a certificate ends with which the exporter's machine asks a site's API server, by role.",
    ("site", "role"),
)
EDGE_CERTIFICATE_ENDS = Metric(
    "shopsphere_edge_certificate_ends_timestamp_seconds",
    "When a certificate for the edge's APIs ends: that a door shows, or that the exporter's machine has, by its file.",
    ("certificate",),
)
DRILL_ENDED = Metric("shopsphere_drill_ended_timestamp_seconds", "When the pair's last drill ended.")
DRILL_GREEN = Metric("shopsphere_drill_green", "1 when the pair's last drill was green, else 0.")
CHECK_PASSED = Metric(
    "shopsphere_check_passed", "1 for a check of `shopsphere ready` that passed, 0 for one that failed.", ("check",)
)

# The archive.
BACKUP_ENDED = Metric(
    "shopsphere_backup_ended_timestamp_seconds",
    "When a database's last complete backup began, at the site whose is older; 0 for none, or a gap after it.",
    ("database",),
)
LOG_ARCHIVED = Metric(
    "shopsphere_log_archived_timestamp_seconds",
    "Until when a database's log is in its archive, from the site that is further behind; 0 for nothing.",
    ("database",),
)
RESTORABLE_FROM = Metric(
    "shopsphere_restorable_from_timestamp_seconds",
    "From when on any time of a database can be restored, from one site's archive or the other's; 0 for none.",
    ("database",),
)
RESTORABLE_SHORT = Metric(
    "shopsphere_restorable_short_seconds",
    "By how much less of a database's past can be restored than topology promises (s); 0 while its archive is young.",
    ("database",),
)
BACKUPS_PRUNED = Metric(
    "shopsphere_backups_pruned_timestamp_seconds",
    "When retention looked last and found nothing wrong, at the site where that is longer ago; 0 for never. Not there "
    "while it never looked and no base backup is eight days older than the promised days.",
    ("database",),
)

# Awaited: rules name them already. A source that has them takes `awaited` away.
AUDIT_VERIFIED = Metric(
    "shopsphere_audit_verified_timestamp_seconds", "When the audit log was verified last.", awaited=True
)
RESTORE_TESTED = Metric(
    "shopsphere_restore_tested_timestamp_seconds",
    "When a restore of a database was last seen to succeed.",
    ("database",),
    awaited=True,
)

METRICS: dict[str, Metric] = {each.name: each for each in globals().copy().values() if isinstance(each, Metric)}
"""All of the above by name."""
