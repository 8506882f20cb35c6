"""CloudNativePG's clusters: RES-003, RES-005, RES-009, RES-010, RES-011, SEC-002, NET-003."""

from __future__ import annotations

from collections.abc import Mapping

from policies.admission.labels import OWN_LABELS, placed, strictness_of, value
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal, literals, told
from policies.admission.network import service_checks
from policies.admission.pods import images
from policies.admission.site_facts import SiteFacts
from policies.residency.res_010_database_replication_inside_pair import REDIRECTING_PARAMETERS
from policies.residency.res_011_databases_lead_nowhere import (
    CHECKED_TLS,
    HBA,
    POWERS,
    SENDING,
    SERVICES,
    SERVICES_TOLD,
    STATEMENT_KEYS,
    STATEMENT_REFERENCES,
    STATEMENTS,
)
from shopsphere.estate.placement import DATA_CLASS_LABEL, SITE_LABEL

OPERATORS_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "archive_mode": ("on", "off"),
    "archive_timeout": ("5min",),
    "log_destination": ("csvlog",),
    "shared_preload_libraries": ("",),
    "ssl_max_protocol_version": ("TLSv1.3",),
    "ssl_min_protocol_version": ("TLSv1.3",),
    "wal_level": ("logical",),
}
"""What CloudNativePG 1.30 writes into each cluster before it is judged, word for word; a stack declares none of it."""
OPERATORS_QUERIES = "cnpg-default-monitoring"
"""ConfigMap that the operator makes and names in each cluster: figures without rows."""
SPEC = "object.spec"
OUTSIDE = f"{SPEC}.?externalClusters.orValue([])"


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about databases of one site: labels and storage, peers, and what leads out."""
    clusters = (Resources("postgresql.cnpg.io", ("clusters",)),)
    inherited = f"{SPEC}.?inheritedMetadata.?labels.orValue({{}})"
    ending = f"-{facts.site}"
    members = f"{literal(list(facts.pair))}.map(s, variables.database + '-' + s)"
    return [
        AdmissionPolicy(
            "databases",
            clusters,
            (
                *placed("variables.labels", facts, "spec.inheritedMetadata.labels"),
                *_placement(facts),
                *images(facts),
                *_services(),
            ),
            {"labels": inherited, "images": f"[{SPEC}.?imageName.orValue('')]"},
        ),
        AdmissionPolicy(
            "database-peers",
            clusters,
            (
                Validation(
                    "RES-010",
                    f"object.metadata.name.endsWith({literal(ending)})",
                    f"metadata.name: <database>{ending}",
                ),
                *_peers(facts),
            ),
            {"database": f"object.metadata.name.replace({literal(ending)}, '')", "members": members},
        ),
        AdmissionPolicy("database-copies", clusters, (*_copies(), *_settings())),
    ]


def _placement(facts: SiteFacts) -> tuple[Validation, ...]:
    own = value(OWN_LABELS, DATA_CLASS_LABEL)
    storages = [(f"{SPEC}.storage", "spec.storage"), (f"{SPEC}.walStorage", "spec.walStorage")]
    found = []
    for storage, place in storages:
        template = f"{storage}.?pvcTemplate.?storageClassName"
        pinned = every(
            f"{storage}.?storageClass.orValue({template}.orValue('')) == {literal(facts.storage_class)}",
            f"{template}.orValue({literal(facts.storage_class)}) == {literal(facts.storage_class)}",
        )
        wanted = f"{storage}.?pvcTemplate.?selector.?matchLabels.orValue({{}})[?{literal(DATA_CLASS_LABEL)}]"
        is_there = f"has({storage})"
        found += [
            Validation(
                "RES-005",
                pinned if place == "spec.storage" else either(f"!{is_there}", pinned),
                f"{place}.storageClass: it is {facts.storage_class} at {facts.site}",
            ),
            Validation(
                "RES-009",
                either(f"!{is_there}", f"{wanted}.orValue({own}) == {own}"),
                f"{place}.pvcTemplate.selector: volumes of another class than the database's",
            ),
        ]
    spaces = f"t.storage.?storageClass.orValue('') == {literal(facts.storage_class)}"
    return (
        *found,
        Validation(
            "RES-005",
            f"{SPEC}.?tablespaces.orValue([]).all(t, {spaces})",
            f"spec.tablespaces: the storage class is {facts.storage_class} at {facts.site}",
        ),
        Validation(
            "RES-009",
            f"{strictness_of(value('variables.labels', DATA_CLASS_LABEL), facts)} >= {strictness_of(own, facts)}",
            "spec.inheritedMetadata.labels: a class that is kept less strictly than the database's own",
        ),
        Validation(
            "RES-003",
            f"{SPEC}.?affinity.?nodeSelector.orValue({{}})[?{literal(SITE_LABEL)}].orValue({literal(facts.site)}) == "
            f"{literal(facts.site)}",
            f"spec.affinity.nodeSelector: nodes of another site; {SITE_LABEL} is {facts.site} here",
        ),
    )


def _services() -> tuple[Validation, ...]:
    return tuple(
        Validation(
            each.rule,
            f"{SPEC}.?managed.?services.?additional.orValue([]).all(a, !has(a.serviceTemplate.spec) || "
            f"({each.expression}))",
            each.message,
        )
        for each in service_checks(
            "a.serviceTemplate.spec", "spec.managed.services.additional.serviceTemplate.spec", "''"
        )
    )


def _peers(facts: SiteFacts) -> tuple[Validation, ...]:
    pair = f"the members of the pair, at {told(facts.pair)}"
    names = (
        *(f"{SPEC}.?replica.?{key}" for key in ("self", "primary", "source")),
        *(f"{SPEC}.?bootstrap.?{way}.?source" for way in ("pg_basebackup", "recovery")),
        f"{SPEC}.?bootstrap.?initdb.?import.?source.?externalCluster",
    )
    lists = tuple(f"{SPEC}.?postgresql.?synchronous.?{key}" for key in ("standbyNamesPre", "standbyNamesPost"))
    parameters = "c.?connectionParameters.orValue({})"
    hosts = literals(facts.hosts)
    known_hosts = [f"{parameters}[?{literal(key)}].orValue('')" for key in ("host", "hostaddr")]
    return (
        *(
            Validation(
                "RES-010",
                f"!{name}.hasValue() || {name}.orValue('') in variables.members",
                f"{name.replace('object.', '').replace('?', '')}: allowed are {pair}",
            )
            for name in names
        ),
        *(
            Validation(
                "RES-010",
                f"{name}.orValue([]).all(n, n in variables.members)",
                f"{name.replace('object.', '').replace('?', '')}: allowed are {pair}",
            )
            for name in lists
        ),
        Validation(
            "RES-010",
            f"{OUTSIDE}.all(c, c.name in variables.members)",
            f"spec.externalClusters: allowed are {pair}",
        ),
        Validation(
            "RES-010",
            f"{OUTSIDE}.all(c, "
            + every(
                either(*(f"{host} != ''" for host in known_hosts)),
                *(f"{host}.split(',').all(h, h == '' || h.trim() in {hosts})" for host in known_hosts),
            )
            + ")",
            f"spec.externalClusters: connectionParameters lead elsewhere; allowed: {told(facts.hosts)}",
        ),
        Validation(
            "RES-010",
            f"{OUTSIDE}.all(c, "
            + every(*(f"!({literal(key)} in {parameters})" for key in REDIRECTING_PARAMETERS))
            + ")",
            "spec.externalClusters: connectionParameters that name a file which nobody sees here",
        ),
        Validation(
            "RES-010",
            f"{OUTSIDE}.all(c, !has(c.barmanObjectStore) && !has(c.plugin))",
            "spec.externalClusters: a store that may be anywhere",
        ),
    )


def _copies() -> tuple[Validation, ...]:
    monitoring = f"{SPEC}.?monitoring"
    recovery = f"{SPEC}.?bootstrap.?recovery"
    initdb = f"{SPEC}.?bootstrap.?initdb"
    return (
        Validation("RES-011", f"!has({SPEC}.backup)", "spec.backup: a copy of everything, and a store may be anywhere"),
        Validation(
            "RES-011",
            f"{SPEC}.?plugins.orValue([]).size() == 0",
            "spec.plugins: a plugin may copy WAL and backups anywhere",
        ),
        Validation(
            "RES-011",
            every(
                f"!{monitoring}.?enablePodMonitor.orValue(false)",
                f"{monitoring}.?customQueriesSecret.orValue([]).size() == 0",
                f"{monitoring}.?customQueriesConfigMap.orValue([]).all(q, q.name == {literal(OPERATORS_QUERIES)})",
            ),
            f"spec.monitoring: queries that send rows to whoever asks; allowed: {OPERATORS_QUERIES}",
        ),
        Validation(
            "RES-011",
            every(*(f"!{recovery}.?{key}.hasValue()" for key in ("backup", "volumeSnapshots", "recoveryTarget"))),
            "spec.bootstrap.recovery: a copy of nobody knows whose data",
        ),
        Validation(
            "RES-011",
            every(*(f"{initdb}.?{key}.orValue([]).all(s, s in {literals(STATEMENTS)})" for key in STATEMENT_KEYS)),
            f"spec.bootstrap.initdb: a statement of a superuser; allowed: {'; '.join(sorted(STATEMENTS))}",
        ),
        Validation(
            "RES-011",
            every(*(f"!{initdb}.?{key}.hasValue()" for key in STATEMENT_REFERENCES)),
            "spec.bootstrap.initdb: statements that nobody sees here",
        ),
    )


def _settings() -> tuple[Validation, ...]:
    postgresql = f"{SPEC}.?postgresql"
    parameters = f"{postgresql}.?parameters.orValue({{}})"
    operators = literal({name: [*values] for name, values in OPERATORS_PARAMETERS.items()})
    return (
        Validation(
            "RES-011",
            f"{parameters}.all(k, !k.matches({literal(SENDING.pattern)}) || "
            f"{parameters}[k] in {operators}[?k].orValue([]))",
            "spec.postgresql.parameters: one that runs, loads, sends or changes who is let in",
        ),
        Validation(
            "RES-011",
            f"{postgresql}.?pg_hba.orValue([]).all(l, l.trim().matches({literal(HBA.pattern)}))",
            "spec.postgresql.pg_hba: hostssl with cert or scram-sha-256, or reject",
        ),
        Validation(
            "RES-011",
            every(
                *(
                    f"{postgresql}.?{key}.orValue([]).size() == 0"
                    for key in ("pg_ident", "shared_preload_libraries", "extensions")
                ),
                f"!{postgresql}.?ldap.hasValue()",
            ),
            "spec.postgresql: who is let in, or code that is loaded",
        ),
        Validation(
            "RES-011",
            f"!{SPEC}.?enableSuperuserAccess.orValue(false) && !has({SPEC}.superuserSecret)",
            "spec: the network's superuser can copy everything",
        ),
        Validation(
            "RES-011",
            f"{SPEC}.?managed.?roles.orValue([]).all(r, "
            + every(
                f"r.name in {literals(sorted(SERVICES))}",
                *(f"!r.?{power}.orValue(false)" for power in POWERS),
                "r.?inRoles.orValue([]).size() == 0",
            )
            + ")",
            f"spec.managed.roles: a login that no service has, or that may do more; allowed: {SERVICES_TOLD}",
        ),
        Validation(
            "RES-011",
            f"{OUTSIDE}.all(c, "
            + every(
                f"c.?connectionParameters.orValue({{}})[?'sslmode'].orValue('') in {literals(CHECKED_TLS)}",
                "has(c.sslRootCert)",
                "!has(c.password)",
            )
            + ")",
            "spec.externalClusters: TLS with the pair's own authority, verify-ca or verify-full, and no password",
        ),
    )
