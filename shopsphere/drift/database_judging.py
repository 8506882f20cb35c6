"""Live facts of a server against declared ones, and what each difference means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from shopsphere.clients.postgres_inventory import Fact, Inventory
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.drift.database_declared import OPTIONAL, DeclaredServer
from shopsphere.drift.database_repair import drop, put_back
from shopsphere.drift.database_settings import differing_settings, is_value
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.repair import Repair
from shopsphere.drift.values import shown
from shopsphere.estate.kept_databases import KeptDatabase
from shopsphere.foundation.finding import Severity

_RESIDENCY = re.compile(
    r"(extension|foreign [a-z ]+|language|publication|replication slot|subscription|tablespace|user mapping) "
)
"""Objects by which rows leave a database, or are kept somewhere else, or code runs that can do either."""
_POWERS = frozenset({"superuser", "replication", "bypassrls"})
"""Attributes of a role with which it takes a copy of everything."""
_TRUSTED = frozenset({"sql", "plpgsql"})
_MOVED_BY_THE_ROLE = frozenset({"restore_command", "primary_conninfo", "primary_slot_name", "recovery_target_timeline"})
"""Settings that CloudNativePG, or NO_ARCHIVE, leaves in the file of ALTER SYSTEM; their values are judged by role."""
_MOST = 5
"""Facts of an undeclared object that a finding shows."""


@dataclass(frozen=True)
class Place:
    """Where a server is, for findings and their repair.

    Attributes:
        declared: what it should be.
        pod: of the instance that was asked.
        repair: how the site is reached.
        leads: it takes writes; a server that follows cannot be repaired where it is.
        beside: other instances of its cluster, which follow this one.
    """

    declared: DeclaredServer
    pod: str
    repair: Repair
    leads: bool
    beside: frozenset[str] = frozenset()

    @property
    def slots(self) -> frozenset[Fact]:
        """What keeps the log for the instances beside; CloudNativePG makes one for each and takes it away."""
        names = (each.replace("-", "_") for each in self.beside)
        return frozenset(Fact(f"replication slot _cnpg_{name}", "", "physical") for name in names)

    def drift(
        self,
        name: str,
        field: str,
        declared: str,
        live: str,
        kind: Kind,
        severity: Severity,
        *,
        residency: bool = False,
        repair: str,
    ) -> Drift:
        """Return a finding about this server; PostgreSQL keeps no record of who changed a role or a right."""
        return Drift(
            site=self.repair.site,
            object=f"PostgreSQL {self.declared.cluster}: {name}",
            field=field,
            declared=shown("", (), declared or None),
            live=shown("", (), live or None),
            kind=kind,
            severity=severity,
            residency=residency,
            repair=repair,
        )

    def statements(self, database: str, sql: str) -> str:
        """Return the command that runs SQL here, or says where it has to run, or what to look at."""
        if not sql:
            return f"look at it with: {self._psql(database, chr(92) + 'd')}"
        if not self.leads:
            return f"at the pair's active site, which this one copies: {sql}"
        return self._psql(database, sql)

    def write_files_again(self) -> str:
        """Return the command that has the operator write and load the files of the server's configuration."""
        namespace, cluster = self.declared.model.namespace.name, self.declared.cluster
        return self.repair.look_again(namespace, cluster)

    def _psql(self, database: str, sql: str) -> str:
        return self.repair.statements(self.declared.model.namespace.name, self.pod, database, sql)


def judge_server(place: Place, found: Inventory) -> list[Drift]:
    """Return all findings of a server that do not depend on its site's role; rights have the declared version."""
    declared = place.declared
    left_out = place.slots
    live = [
        each for each in found.server if not is_value(each) and not _belongs_to_the_role(each) and each not in left_out
    ]
    drifts = [*judge_facts(place, ADMINISTRATION, declared.server, live)]
    drifts += _rules(place, found.rules)
    drifts += _settings(place, found.server)
    for database, wanted in declared.databases.items():
        if database != declared.model.name or found.version == declared.version:
            drifts += judge_facts(place, database, wanted, found.databases[database])
    return drifts


def judge_facts(place: Place, database: str, declared: Sequence[Fact], live: Sequence[Fact]) -> Iterator[Drift]:
    """Yield the differences between two sets of facts."""
    wanted, there = _by_object(declared), _by_object(live)
    for name in sorted({*wanted, *there}):
        if name not in there:
            if name not in OPTIONAL:
                yield _finding(place, database, name, "", "declared", "", Kind.MISSING)
        elif name not in wanted and _is_an_object(there[name]):
            told = "; ".join(" ".join(filter(None, pair)) for pair in [*there[name].items()][:_MOST])
            yield _finding(place, database, name, "", "", told, Kind.UNDECLARED, facts=there[name])
        else:
            for field, before, now in _differing(wanted.get(name, {}), there[name]):
                kind = Kind.ADDED if not before else Kind.REMOVED if not now else Kind.CHANGED
                yield _finding(place, database, name, field, before, now, kind, facts=there[name])


def _is_an_object(fields: Mapping[str, str]) -> bool:
    """Whether facts are about an object that is there, and not about rights to one that is always there."""
    return not all("granted to " in field or field.startswith(("for", "by ")) for field in fields)


def _by_object(facts: Sequence[Fact]) -> dict[str, dict[str, str]]:
    return {
        name: {each.field: each.value for each in some} for name, some in groupby(sorted(facts), lambda f: f.object)
    }


def _differing(declared: Mapping[str, str], live: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for field in sorted({*declared, *live}):
        if declared.get(field) != live.get(field):
            yield field, declared.get(field, ""), live.get(field, "")


def _finding(
    place: Place,
    database: str,
    name: str,
    field: str,
    declared: str,
    live: str,
    kind: Kind,
    *,
    facts: Mapping[str, str] | None = None,
) -> Drift:
    if kind is Kind.UNDECLARED and (kept := KeptDatabase.of(name.removeprefix("database "))):
        told = kept.told()
        return place.drift(name, "", "", told, kind, Severity.MEDIUM, repair=told)
    residency = _leads_out(name, field, live, facts or {}) and kind is not Kind.MISSING
    whole = name if database == ADMINISTRATION else f"{database}: {name}"
    sql = drop(name) if kind is Kind.UNDECLARED else "" if not field else put_back(name, field, declared)
    severity = Severity.CRITICAL if residency else Severity.HIGH
    return place.drift(
        whole, field, declared, live, kind, severity, residency=residency, repair=place.statements(database, sql)
    )


def _leads_out(name: str, field: str, live: str, facts: Mapping[str, str]) -> bool:
    """Whether somebody can take rows out, or a copy of all, by what is there and was not declared."""
    if name.startswith("role "):
        powers = {field} if field else {each for each in facts if facts[each] == "yes"}
        joined = field.startswith("member of pg_") and bool(live)
        return joined or (live != "no" and bool(powers & _POWERS))
    if name.startswith("function ") and not name.startswith("function pg_catalog."):
        return facts.get("language", "sql") not in _TRUSTED
    if name.startswith("setting "):
        return bool(re.search(r"command|conninfo|preload|librar|archive|listen|ssl", name)) and bool(live)
    return bool(_RESIDENCY.match(name)) and bool(live)


def _belongs_to_the_role(fact: Fact) -> bool:
    name = fact.object.removeprefix("setting ")
    return fact.field == "by ALTER SYSTEM" and name in _MOVED_BY_THE_ROLE


def _rules(place: Place, live: Sequence[str]) -> Iterator[Drift]:
    """Yield what differs in pg_hba.conf; the first line that fits decides, so their order counts too."""
    declared, name, repair = place.declared.rules, "pg_hba.conf", place.write_files_again()
    for rule in live:
        if rule not in declared:
            yield place.drift(name, rule, "", rule, Kind.ADDED, Severity.CRITICAL, residency=True, repair=repair)
    for rule in declared:
        if rule not in live:
            yield place.drift(name, rule, rule, "", Kind.REMOVED, Severity.HIGH, repair=repair)
    common = [rule for rule in live if rule in declared]
    if common != [rule for rule in declared if rule in live]:
        wanted, there = " | ".join(declared), " | ".join(live)
        yield place.drift(name, "order", wanted, there, Kind.CHANGED, Severity.CRITICAL, residency=True, repair=repair)


def _settings(place: Place, facts: Sequence[Fact]) -> Iterator[Drift]:
    for each in differing_settings(place.declared, facts):
        is_tuning = each.name in place.declared.parameters
        severity = Severity.CRITICAL if each.residency else Severity.MEDIUM if is_tuning else Severity.HIGH
        yield place.drift(
            f"setting {each.name}",
            "",
            each.declared,
            each.live,
            each.kind,
            severity,
            residency=each.residency,
            repair=place.write_files_again(),
        )
