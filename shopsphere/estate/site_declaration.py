"""What a kind of site consists of: its workloads, its databases, and the namespaces that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES, PASSWORD
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.pair_secrets import (
    ARCHIVE_SECRET_NAMES,
    OTHER_SECRET_NAMES,
    OWNER_SECRET_NAMES,
    PAIR_SECRET_NAMES,
)
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.estate.workloads import OWN_COMPONENTS, WORKLOADS
from shopsphere.foundation.errors import ShopSphereError

WHOLE_POWER_PERCENT = 100
DATABASE_IMAGE = "postgresql"


class DeclarationError(ShopSphereError):
    """Workloads and databases were declared that cannot be together at one site."""


@dataclass(frozen=True)
class SiteDeclaration:
    """What every site of one kind runs; only sizes and places differ from stack to stack.

    Attributes:
        workloads: its workloads.
        databases: its databases.
        reserved: namespaces for which no workload is declared.

    Raises:
        DeclarationError: the parts do not fit together.
    """

    workloads: tuple[WorkloadDeclaration, ...] = ()
    databases: tuple[DatabaseModel, ...] = ()
    reserved: tuple[NamespaceModel, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        self._check_ports()
        self._check_processes()
        self._check_logins()
        self._check_references()
        self._check_power()

    @property
    def namespaces(self) -> tuple[NamespaceModel, ...]:
        """Every namespace of the site."""
        of_databases = (database.namespace for database in self.databases)
        return (*(workload.namespace for workload in self.workloads), *of_databases, *self.reserved)

    def has(self, name: str) -> bool:
        """Whether it has a workload of this name."""
        return any(each.name == name for each in self.workloads)

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images that its stacks configure."""
        names = {each.image for each in self.workloads} | ({DATABASE_IMAGE} if self.databases else set())
        return tuple(sorted(names))

    @property
    def stored_classes(self) -> tuple[str, ...]:
        """Classes of data that a volume of the site may be set aside for."""
        of_databases = {database.data_class for database in self.databases}
        others = {each.data_class for each in self.workloads if each.claims} | {
            each.data_class for each in self.reserved
        }
        return tuple(sorted(of_databases | others))

    def _check_names(self) -> None:
        twice = _repeated(each.name for each in self.namespaces)
        if twice:
            raise DeclarationError.build(
                "two declarations of a site have one name",
                expected="a name of its own for each workload and database",
                found=f"more than one {', '.join(twice)}",
                action="rename one of them in shopsphere/estate/workloads.py or databases.py",
            )

    def _check_ports(self) -> None:
        deaf = [each.name for each in self.workloads if not each.ports]
        if deaf:
            raise DeclarationError.build(
                f"workload {', '.join(deaf)} has no port",
                expected="one port or more: probes ask there whether its process works",
                found="none",
                action="add `ports` to its entry in shopsphere/estate/workloads.py",
            )

    def _check_processes(self) -> None:
        idle = [each.name for each in self.workloads if not each.process and each.name not in OWN_COMPONENTS]
        if idle:
            raise DeclarationError.build(
                f"workload {', '.join(idle)} has no process",
                expected="a process, or a component of its own in components/regional_site.py",
                found="neither",
                action="add `process` to its entry in shopsphere/estate/workloads.py, or its name to OWN_COMPONENTS",
            )

    def _check_logins(self) -> None:
        for each in self.workloads:
            for database in each.logged_in_to:
                names = [login.name for login in database.logins]
                if each.login not in names:
                    raise DeclarationError.build(
                        f"workload {each.name} logs in to {database.name} as nobody",
                        expected=f"one of its logins: {', '.join(names)}",
                        found=each.login,
                        action="correct `login` in shopsphere/estate/workloads.py, or add it in databases.py",
                    )

    def _check_references(self) -> None:
        known = (*PAIR_SECRET_NAMES, *OTHER_SECRET_NAMES, *ARCHIVE_SECRET_NAMES, *OWNER_SECRET_NAMES)
        files = (*EVENT_LOG_SECRET_NAMES, PASSWORD)
        for each in self.workloads:
            unknown = [called.name for called in each.calls if called not in self.workloads]
            unknown += [database.name for database in each.databases if database not in self.databases]
            repeated = _repeated([*(called.name for called in each.calls), *each.endpoints])
            secrets = each.secrets(each.process).values() if each.process else ()
            unknown += [name for name in secrets if name not in known]
            unknown += [name for name in (each.process.files.values() if each.process else ()) if name not in files]
            if unknown or repeated:
                raise DeclarationError.build(
                    f"workload {each.name} refers to what its site does not have, or twice to the same",
                    expected="workloads, databases and secrets of the site, each once",
                    found=", ".join([*unknown, *repeated]),
                    action=f"correct the entry of {each.name} in shopsphere/estate/workloads.py",
                )

    def _check_power(self) -> None:
        total = sum(each.power_percent for each in self.namespaces)
        if total >= WHOLE_POWER_PERCENT:
            shares = ", ".join(f"{each.name} {each.power_percent} %" for each in self.namespaces)
            raise DeclarationError.build(
                "the shares of power leave nothing for kube-system and the database operator",
                expected=f"a total under {WHOLE_POWER_PERCENT} %",
                found=f"{total} %: {shares}",
                action="lower power_percent in shopsphere/estate/workloads.py or databases.py",
            )


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


REGIONAL_SITE = SiteDeclaration(workloads=WORKLOADS, databases=DATABASES)
HEADQUARTERS_SITE = SiteDeclaration(reserved=(NamespaceModel("reporting", "aggregate", "reporting", 80, claims=4),))
