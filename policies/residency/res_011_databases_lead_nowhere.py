"""A database's settings, statements, logins and backups take nothing out of the pair."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.kinds import DATABASE_GROUP, is_database
from policies.reading import Node, mapping, nodes, text, texts
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.finding import Finding, Severity

COPIES = frozenset({"Backup", "ScheduledBackup", "ObjectStore", "Publication", "Pooler"})
"""Kinds that copy a database, or open it to more readers."""
BACKUP_GROUPS = (DATABASE_GROUP, "barmancloud.cnpg.io")
STATEMENTS = frozenset(
    {
        "ALTER SYSTEM SET restore_command = 'false'",
        *(f"CREATE ROLE {login.role} NOLOGIN" for each in DATABASES for login in each.logins),
        *(f"GRANT {each.application_role} TO {each.name}" for each in DATABASES),
    }
)
"""What a database's superuser may be told at its creation, word for word."""
SERVICES = frozenset(login.role for each in DATABASES for login in each.logins)
SERVICES_TOLD = ", ".join(sorted(SERVICES))
"""Roles that services log in as."""
POWERS = ("superuser", "createdb", "createrole", "replication", "bypassrls")
"""What a login could be allowed beside its grants."""
LOGIN_FIELDS = frozenset({"name", "ensure", "login", "inherit", "connectionLimit", "passwordSecret"})
STATEMENT_KEYS = ("postInitSQL", "postInitApplicationSQL", "postInitTemplateSQL")
STATEMENT_REFERENCES = tuple(f"{key}Refs" for key in STATEMENT_KEYS)
SENDING = re.compile(
    r"archive|restore_command|recovery_end_command|primary_|conninfo|ssl|preload|_libraries|log_destination|syslog|"
    r"listen_addresses|password_encryption|wal_level|dynamic_library|ident_file|hba_file"
)
"""Parameters of PostgreSQL that run commands, load code, send data, or change who is let in and how."""
CHECKED_TLS = frozenset({"verify-ca", "verify-full"})
HBA = re.compile(r"^(hostssl\s+\S+\s+\S+\s+\S+\s+(cert|scram-sha-256)\b.*|host\w*\s+\S+\s+\S+\s+\S+\s+reject)$")


def applies(resource: Resource) -> bool:
    """Return whether it is a database, copies one, or opens one to more readers."""
    return is_database(resource) or (resource.group in BACKUP_GROUPS and resource.kind in COPIES)


def check(resource: Resource) -> Iterator[Finding]:
    """Find every way by which a database's content or its superuser's power would leave."""
    if not is_database(resource):
        yield violation(f"a {resource.kind}: a copy of the database, or a way to it, that nobody keeps inside", "none")
        return
    spec = mapping(resource.props, "spec")
    yield from _copies(spec)
    yield from _statements(mapping(spec, "bootstrap", "initdb"))
    yield from _settings(mapping(spec, "postgresql"))
    yield from _logins(spec)
    for at, cluster in enumerate(nodes(spec, "externalClusters")):
        yield from _transport(f"spec.externalClusters[{at}]", cluster)


def _copies(spec: Node) -> Iterator[Finding]:
    for key in ("backup", "plugins", "monitoring"):
        if spec.get(key):
            yield violation(f"spec.{key}: what it copies or shows may go anywhere", "none")
    recovery = mapping(spec, "bootstrap", "recovery")
    for key in ("backup", "volumeSnapshots", "recoveryTarget"):
        if key in recovery:
            yield violation(f"spec.bootstrap.recovery.{key}: a copy of nobody knows whose data", "pg_basebackup")


def _statements(initdb: Node) -> Iterator[Finding]:
    for key in STATEMENT_KEYS:
        for at, statement in enumerate(texts(initdb, key)):
            if statement not in STATEMENTS:
                yield violation(f"spec.bootstrap.initdb.{key}[{at}]: {statement}", "; ".join(sorted(STATEMENTS)))
    for key in STATEMENT_REFERENCES:
        if key in initdb:
            yield violation(f"spec.bootstrap.initdb.{key}: statements that nobody sees here", "none")


def _settings(postgresql: Node) -> Iterator[Finding]:
    for name in mapping(postgresql, "parameters"):
        if SENDING.search(name):
            yield violation(f"spec.postgresql.parameters.{name}", "parameters that run, load, send and let in nothing")
    for at, line in enumerate(texts(postgresql, "pg_hba")):
        if not HBA.match(line.strip()):
            yield violation(f"spec.postgresql.pg_hba[{at}]: {line}", "hostssl with cert or scram-sha-256, or reject")
    for key in ("pg_ident", "ldap", "shared_preload_libraries", "extensions"):
        if postgresql.get(key):
            yield violation(f"spec.postgresql.{key}: who is let in, or code that is loaded", "none")


def _logins(spec: Node) -> Iterator[Finding]:
    if spec.get("enableSuperuserAccess"):
        yield violation("spec.enableSuperuserAccess: the network's superuser can copy everything", "false")
    if spec.get("superuserSecret"):
        yield violation("spec.superuserSecret: the network's superuser can copy everything", "none")
    for at, role in enumerate(nodes(spec, "managed", "roles")):
        name = text(role, "name")
        if name not in SERVICES:
            yield violation(f"spec.managed.roles[{at}]: {name}, a login beside those of the services", SERVICES_TOLD)
        for key in sorted({*role} - LOGIN_FIELDS):
            yield violation(f"spec.managed.roles[{at}].{key}: a login that may do more than a service", "none")


def _transport(path: str, cluster: Node) -> Iterator[Finding]:
    mode = text(cluster, "connectionParameters", "sslmode")
    if mode not in CHECKED_TLS:
        yield violation(f"{path}.connectionParameters.sslmode: {mode or 'missing'}", "verify-ca or verify-full")
    if not mapping(cluster, "sslRootCert"):
        yield violation(f"{path} without sslRootCert, so anybody may answer", "the pair's own authority")
    if "password" in cluster:
        yield violation(f"{path}.password: a login without the pair's certificate", "sslCert and sslKey")


RULE = ResourceRule(
    id="RES-011",
    name="databases-lead-nowhere",
    reason="A backup, a foreign table or an unencrypted connection takes a database out without a replica.",
    severity=Severity.CRITICAL,
    remediation="declare the database with components.postgres_member; a way to keep copies inside the jurisdiction is "
    "a change of this rule first",
    applies=applies,
    check=check,
)
