"""What a server of a pair's database should hold: from its declaration, its operator's defaults and the application.

The application's rights are those that its migrations give. They are kept as files beside this one, which a test writes
from a real server and compares with it, so that they can be read, and differ in a review when a migration changes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shopsphere.clients.postgres_inventory import Fact
from shopsphere.clients.questions import ADMINISTRATION, TEMPLATE
from shopsphere.drift.declared import Declared
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.pair_secrets import REPLICATION_USER
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.yaml_text import read_yaml_file

FOLDER = Path(__file__).with_name("database_rights")
ADMINISTRATOR = "postgres"
METRICS_USER = "cnpg_metrics_exporter"
"""CloudNativePG's: an operator of before it makes none, so it need not be there."""
OPTIONAL = frozenset({f"role {METRICS_USER}", f"identity map {METRICS_USER}"})
"""Objects that may be there, as declared, or not be there."""
ITSELF = "is"
"""Stands among the fields of an object in the files for the object itself."""
_REWIND = (
    "pg_ls_dir(text,boolean,boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text,bigint,bigint,boolean)",
    "pg_stat_file(text,boolean)",
)
"""Functions that CloudNativePG lets the replication role call, so that a former primary can be rewound."""
_ATTRIBUTES = ("superuser", "replication", "login", "bypassrls", "createrole", "createdb", "inherit", "password")


class RightsError(ShopSphereError):
    """The file of an application's rights cannot be read."""


@dataclass(frozen=True)
class DeclaredServer:
    """One member of a pair's database, as its site declares it.

    Attributes:
        model: which database.
        cluster: name of its CloudNativePG cluster.
        peer: name of the other site's.
        body: the cluster's document, as it was applied.
    """

    model: DatabaseModel
    cluster: str
    peer: str
    body: Mapping[str, Any]

    @property
    def parameters(self) -> dict[str, str]:
        """Settings that it declares."""
        return {key: str(value) for key, value in self._postgresql.get("parameters", {}).items()}

    @property
    def hosts(self) -> dict[str, str]:
        """Address under which each of the two members is reached, by name of its cluster."""
        clusters = self.body["spec"].get("externalClusters", ())
        return {each["name"]: str(each["connectionParameters"]["host"]) for each in clusters}

    @property
    def archives(self) -> bool:
        """Whether it keeps an archive of its log."""
        return "cnpg.io/skipWalArchiving" not in self.body["metadata"].get("annotations", {})

    @property
    def rules(self) -> tuple[str, ...]:
        """Lines of pg_hba.conf, as CloudNativePG 1.28.3 and later write them."""
        own = (" ".join(str(line).split()) for line in self._postgresql.get("pg_hba", ()))
        return (
            f"local all {METRICS_USER} peer map={METRICS_USER}",
            "local all all peer map=local",
            f"hostssl postgres {REPLICATION_USER} all cert map=cnpg_streaming_replica",
            f"hostssl replication {REPLICATION_USER} all cert map=cnpg_streaming_replica",
            "hostssl all cnpg_pooler_pgbouncer all cert map=cnpg_pooler_pgbouncer",
            *own,
            "host all all all scram-sha-256",
        )

    @property
    def server(self) -> tuple[Fact, ...]:
        """Facts of the server as a whole; of settings only who may set them, and where: values are compared apart."""
        owner = self.model.name
        roles = [
            *_role(ADMINISTRATOR, "superuser", "replication", "login", "bypassrls", "createrole", "createdb"),
            *_role(REPLICATION_USER, "login", "replication"),
            *_role(METRICS_USER, "login"),
            Fact(f"role {METRICS_USER}", "member of pg_monitor", "yes"),
            *_role(owner, "login", "password"),
            Fact(f"role {owner}", f"member of {self.model.application_role}", "yes"),
            *(fact for each in self.model.logins for fact in _role(each.role, "login", "password")),
        ]
        maps = {
            "local": ADMINISTRATOR,
            "cnpg_streaming_replica": REPLICATION_USER,
            "cnpg_pooler_pgbouncer": "cnpg_pooler_pgbouncer",
            METRICS_USER: METRICS_USER,
        }
        on_the_host = {"local", METRICS_USER}
        lets_in = [
            Fact(f"identity map {name}", f"lets in as {role}", ADMINISTRATOR if name in on_the_host else role)
            for name, role in maps.items()
        ]
        databases = [
            *_database(ADMINISTRATION, ADMINISTRATOR),
            *_database(TEMPLATE, ADMINISTRATOR, public="CONNECT"),
            *_database("template0", ADMINISTRATOR, public="CONNECT", open_="no"),
            *_database(owner, owner),
        ]
        return tuple(sorted([*roles, *lets_in, *databases]))

    @property
    def databases(self) -> dict[str, tuple[Fact, ...]]:
        """Facts of each database that is looked into."""
        every, own = rights("every")[1], rights(self.model.name)[1]
        rewind = [Fact(f"function pg_catalog.{each}", f"granted to {REPLICATION_USER}", "EXECUTE") for each in _REWIND]
        return {ADMINISTRATION: tuple(sorted([*every, *rewind])), TEMPLATE: every, self.model.name: own}

    @property
    def version(self) -> str:
        """Version of the schema that the rights belong to."""
        return rights(self.model.name)[0]

    @property
    def _postgresql(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body["spec"].get("postgresql", {})
        return found


def declared_servers(declared: Sequence[Declared]) -> list[DeclaredServer]:
    """Return the pair's databases among a site's declared objects."""
    found = []
    for each in declared:
        for model in DATABASES:
            if each.kind == "Cluster" and each.namespace == model.namespace.name:
                names = [other["name"] for other in each.body["spec"].get("externalClusters", ())]
                peer = next((name for name in names if name != each.name), "")
                found.append(DeclaredServer(model, each.name, peer, each.body))
    return found


@cache
def rights(name: str) -> tuple[str, tuple[Fact, ...]]:
    """Return the version of a schema and the facts of it that are declared; `every` is any database's beginning.

    Raises:
        RightsError: the file has another shape.
    """
    file = FOLDER / f"{name}.yaml"
    try:
        document = read_yaml_file(file, RightsError)
        objects = document["objects"].items()
        facts = [
            Fact(object_, "" if field == ITSELF else field, value)
            for object_, fields in objects
            for field, value in fields.items()
        ]
        return str(document["version"]), tuple(sorted(facts))
    except (KeyError, TypeError, AttributeError) as error:
        raise RightsError.build(
            f"{file.name}: cannot be used",
            expected="version, and objects with their fields",
            found=f"{type(error).__name__}: {error}",
            action="`SHOPSPHERE_GOLDEN=write pytest tests/app/test_app_database_rights.py` writes it anew",
        ) from error


def _role(name: str, *has: str) -> list[Fact]:
    """Return the attributes of a role; roles of ours inherit, as all do that nobody told otherwise."""
    return [Fact(f"role {name}", each, "yes" if each in {*has, "inherit"} else "no") for each in _ATTRIBUTES]


def _database(name: str, owner: str, *, public: str = "CONNECT, TEMPORARY", open_: str = "yes") -> list[Fact]:
    facts = {"owner": owner, "tablespace": "pg_default", "lets clients connect": open_, "granted to PUBLIC": public}
    return [Fact(f"database {name}", field, value) for field, value in facts.items()]
