"""Settings of a server: the declared ones, and those by which data is sent, kept, logged or let out otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shopsphere.clients.postgres_inventory import Fact
from shopsphere.drift.database_declared import DeclaredServer
from shopsphere.drift.model import Kind

_UNITS = {
    "": 1,
    "B": 1,
    "kB": 1024,
    "MB": 1024**2,
    "GB": 1024**3,
    "TB": 1024**4,
    "us": 0.001,
    "ms": 1,
    "s": 1000,
    "min": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
}
"""What a unit is in bytes, or in milliseconds."""
_TIMES = frozenset({"us", "ms", "s", "min", "h", "d"})
_TRUTH = {"true": "on", "yes": "on", "false": "off", "no": "off"}
_LOGS = "/controller/log"
_ARCHIVING = f"/controller/manager wal-archive --log-destination {_LOGS}/postgres.json %p"
_RESTORING = f"/controller/manager wal-restore --log-destination {_LOGS}/postgres.json"
_CERTIFICATES = "/controller/certificates"

OPERATORS: Mapping[str, tuple[str, ...]] = {
    "listen_addresses": ("*",),
    "port": ("5432",),
    "unix_socket_directories": ("/controller/run",),
    "ssl": ("on",),
    "ssl_cert_file": (f"{_CERTIFICATES}/server.crt",),
    "ssl_key_file": (f"{_CERTIFICATES}/server.key",),
    "ssl_ca_file": (f"{_CERTIFICATES}/client-ca.crt",),
    "ssl_min_protocol_version": ("TLSv1.3",),
    "ssl_max_protocol_version": ("TLSv1.3",),
    "archive_command": (_ARCHIVING, "(disabled)"),  # PostgreSQL says so where archive_mode is off
    "archive_timeout": ("5min",),
    "restore_command": ("false", "", f"{_RESTORING} %f %p", f"{_RESTORING} --rewind %f %p"),  # the first by NO_ARCHIVE
    "restart_after_crash": ("off",),
    "hot_standby": ("on",),
    "wal_level": ("logical",),
    "wal_log_hints": ("on",),
    "logging_collector": ("on",),
    "log_destination": ("csvlog",),
    "log_directory": (_LOGS,),
    "log_filename": ("postgres",),
    "log_rotation_age": ("0",),
    "log_rotation_size": ("0",),
    "log_truncate_on_rotation": ("off",),
    "shared_preload_libraries": ("",),
}
"""What CloudNativePG writes for every cluster (pkg/postgres/configuration.go), of what is looked at."""

DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "archive_cleanup_command": ("",),
    "archive_library": ("",),
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "local_preload_libraries": ("",),
    "log_connections": ("off",),
    "log_min_duration_statement": ("-1",),
    "log_statement": ("none",),
    "password_encryption": ("scram-sha-256",),
    "recovery_end_command": ("",),
    "row_security": ("on",),
    "session_preload_libraries": ("",),
    "synchronous_commit": ("on",),
}
"""PostgreSQL's own, where another value would send data, log it, lose it or let somebody see it."""

_ELSEWHERE = frozenset(
    {
        "archive_mode",  # follows from the role, and from archive_command
        "config_file",  # three places in the pod that nobody can change without its document
        "hba_file",
        "ident_file",
        "log_timezone",  # initdb writes the zone of its host
        "primary_conninfo",  # belongs to the role, as the next two
        "primary_slot_name",
        "synchronous_standby_names",
    }
)
"""Names that the pattern below covers and that are judged elsewhere, or need not be."""
_WATCHED = re.compile(
    r"archive|_command$|primary_|conninfo|ssl|preload|_libraries|library_path|^log_|syslog|listen|password|krb|"
    r"_file$|row_security|search_path|session_replication_role|default_transaction|cron[.]|pgaudit[.]"
)
"""Settings that run commands, load code, send or log data, or change who is let in: none that is not known."""
_SENDS = re.compile(r"archive|_command$|conninfo|ssl|preload|librar|listen|log_destination|log_directory|syslog|_file$")
"""Of these, the ones by which data can leave, or a lock on the way in is off."""


@dataclass(frozen=True)
class SettingDifference:
    """One setting that is not as it should be.

    Attributes:
        name: of it.
        declared: what it should be; empty for one that nobody should have set.
        live: what it is; empty for none.
        kind: how they differ.
        residency: data may leave by it.
    """

    name: str
    declared: str
    live: str
    kind: Kind
    residency: bool


def differing_settings(declared: DeclaredServer, facts: Sequence[Fact]) -> Iterator[SettingDifference]:
    """Yield the settings of a server that differ from what its site declares, its operator writes, or is usual."""
    live = {each.object.removeprefix("setting "): each.value for each in facts if is_value(each)}
    wanted = {**DEFAULTS, **OPERATORS, **{name: (value,) for name, value in declared.parameters.items()}}
    for name, values in sorted(wanted.items()):
        if name in live and not any(_same(each, live[name]) for each in values):
            yield SettingDifference(name, values[0], live[name], Kind.CHANGED, bool(_SENDS.search(name)))
        elif name not in live and name in declared.parameters:
            yield SettingDifference(name, values[0], "", Kind.REMOVED, bool(_SENDS.search(name)))
    for name, value in sorted(live.items()):
        if name not in wanted and name not in _ELSEWHERE and _WATCHED.search(name):
            yield SettingDifference(name, "", value, Kind.ADDED, bool(_SENDS.search(name)))


def is_value(fact: Fact) -> bool:
    """Whether a fact is the value of a setting, and not about who set it where."""
    return fact.object.startswith("setting ") and not fact.field


def _same(declared: str, live: str) -> bool:
    return _normal(declared) == _normal(live)


def _normal(value: str) -> object:
    """Return a value so that 1024MB is 1GB, and true is on."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)", value.strip())
    if found and found[2] in _UNITS:
        number = float(found[1]) * _UNITS[found[2]]
        return ("ms" if number and found[2] in _TIMES else "", number)
    return _TRUTH.get(value.strip().lower(), value.strip())
