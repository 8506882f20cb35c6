"""A pair of real servers on this machine whose recovery site has more than the instance that leads the active one.

An instance of the active site is lost. What it wrote last has reached the recovery site, and not the instance that
leads now, at the same address. What runs in pods runs here, with no more programs than the images have.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
from postgres_cluster import BINARIES, Cluster, _account
from present import present

from runbooks.change import RoleChange
from runbooks.engine import load_runbook
from runbooks.engine.steps import Step
from runbooks.operate import FOLDER
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.clients.postgres import FENCE
from shopsphere.estate.databases import COMMERCE, DatabaseModel
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Sync
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
ACTIVE, RECOVERY = PAIR.primary, PAIR.recovery
COREUTILS = (
    "cat", "chmod", "cp", "head", "ln", "mkdir", "mv", "nohup", "rm", "seq", "sh", "sleep", "sort", "sync", "tail",
    "tr",
)  # fmt: skip
AHEAD = "before current recovery point"
"""How PostgreSQL says that its source has left the line before what it has."""
SERVERS = ("pg_controldata", "pg_rewind", "pg_waldump", "postgres", "psql")
ROW = "INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series({}, {}) AS n"


class Server(Cluster):
    """A server whose log is kept, with checksums, as CloudNativePG starts it."""

    def __init__(self, name: str, source: Cluster | None = None) -> None:
        self.name = name
        super().__init__(source)
        if source is None:
            self.stop("fast")
            self._run("pg_checksums", "--enable", "-D", self.data)
            self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off -c wal_keep_size=256MB"
        options += f" -c cluster_name={self.name} -c wal_retrieve_retry_interval=200ms -c max_wal_senders=8"
        self._run("pg_ctl", "-D", self.data, "-l", self._home / "log", "-o", options, "-w", "-t", "60", "start")

    @property
    def runs(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    @property
    def kept(self) -> Path:
        return self.data.parent / "rewound"

    def log(self) -> str:
        return (self._home / "log").read_text()

    def rows(self, database: str) -> int:
        return int(self.query(database, "SELECT count(*) FROM orders")[0][0])

    def awaits(self, database: str, count: int) -> None:
        def has() -> bool:
            with suppress(psycopg.Error):
                return self.rows(database) == count
            return False

        wait_until(has, what=f"{count} rows at {self.name}", seconds=60)


class Api:
    """In place of a site's API: a database's cluster, and programs in the pods of its instances.

    A fence ends a server, as CloudNativePG does, and starts it when it is gone.
    """

    def __init__(self, site: str, model: DatabaseModel, pods: dict[str, Server], programs: Path) -> None:
        self.context, self.model, self.pods, self.programs = site, model, pods, programs
        peer = PAIR.other_than(site)
        name, other = model.cluster(site), model.cluster(peer)
        self.annotations: dict[str, Any] = {}
        self.fences: list[str] = []
        self.spec = {"replica": {"self": name, "primary": other if site == RECOVERY else name, "source": other}}
        self.name, self.leading, self.version = name, next(iter(pods)), 1
        self.on_execute: Callable[[list[str]], object] = lambda _command: None

    def get(self, _path: str) -> dict[str, Any]:
        metadata = {"name": self.name, "uid": "as ever", "annotations": dict(self.annotations)}
        status = {"currentPrimary": self.leading, "instanceNames": sorted(self.pods)}
        return {"metadata": {**metadata, "resourceVersion": str(self.version)}, "spec": self.spec, "status": status}

    find = get

    def patch(self, path: str, changes: dict[str, Any], *, version: str = "") -> dict[str, Any]:
        assert version in ("", str(self.version))
        self.version += 1
        for key, value in changes["metadata"]["annotations"].items():
            before = self.annotations.pop(key, None)
            if value is not None:
                self.annotations[key] = value
            if key == FENCE:
                self._fence(json.loads(before or "[]"), json.loads(value or "[]"))
        return self.get(path)

    def _fence(self, before: list[str], now: list[str]) -> None:
        self.fences += now
        for pod in set(now) - set(before):
            if self.pods[pod].runs:
                self.pods[pod].stop("fast")
        for pod in set(before) - set(now):
            self.pods[pod].start()

    def execute(
        self, _namespace: str, pod: str, _container: str, command: list[str], *, extra_seconds: float = 0
    ) -> str:
        self.on_execute(command)
        server = self.pods[pod]
        account = _account()
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATA": str(server.data)}
        done = subprocess.run(
            command, env={**where, "PATH": str(self.programs)}, capture_output=True, text=True, cwd="/tmp",
            timeout=extra_seconds + 60, check=False, **account,
        )  # fmt: skip
        if done.returncode:
            raise ProgramError(f"{self.context}: {pod}: {done.stderr[-500:]}")
        return str(done.stdout)


class Access:
    """The ways to the pair: one database at two sites, and a witness."""

    def __init__(self, model: DatabaseModel, apis: dict[str, Api]) -> None:
        self.pair, self.topology, self.witness = PAIR, TOPOLOGY, self
        self.record = PairRecord.first(PAIR.name, ACTIVE, actor="test").model_copy(update={"sync": Sync.OFF})
        self._databases = {site: SiteDatabase(model, site, cast("Any", api)) for site, api in apis.items()}

    def database(self, site: str, _model: DatabaseModel) -> SiteDatabase:
        return self._databases[site]

    def each_database(self, site: str, action: Callable[[SiteDatabase], Any]) -> list[Any]:
        return [action(self._databases[site])]

    def kubectl(self, site: str) -> SiteKubectl:
        return SiteKubectl("kubeconfig", site)

    def see(self) -> Seen:
        return Seen(self.record, 1, ACTIVE)


class ApartPair:
    """The servers, the APIs before them, and what a run remembers."""

    def __init__(self, model: DatabaseModel, *, beside: bool = False) -> None:
        self.model, self.memory = model, dict[str, Any]()
        self.folder = Path(tempfile.mkdtemp(prefix="shop-rewind-"))
        self.folder.chmod(0o755)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for program in COREUTILS:
            (self.programs / program).symlink_to(present(shutil.which(program)))
        for program in SERVERS:
            (self.programs / program).symlink_to(BINARIES / program)
        self.servers: list[Server] = []
        self.first = self._server(model.cluster(ACTIVE))
        self.query(self.first, "CREATE TABLE orders(id int PRIMARY KEY, what text)")
        self.query(self.first, ROW.format(1, 1000))
        self.second = self._server(model.cluster(ACTIVE), self.first)
        self.copy = self._server(model.cluster(RECOVERY), self.first)
        self.beside = self._server(f"{model.cluster(RECOVERY)}-2", self.copy) if beside else None
        pods = {f"{self.copy.name}-1": self.copy}
        if self.beside:
            pods[f"{self.copy.name}-2"] = self.beside
        self.apis = {
            ACTIVE: Api(ACTIVE, model, {f"{self.first.name}-2": self.second}, self.programs),
            RECOVERY: Api(RECOVERY, model, pods, self.programs),
        }
        self.access = Access(model, self.apis)
        for each in self.servers[1:]:
            each.awaits(model.name, 1000)

    def _server(self, name: str, source: Cluster | None = None) -> Server:
        self.servers.append(Server(name, source))
        return self.servers[-1]

    def query(self, server: Server, statement: str) -> None:
        server.query(self.model.name, statement)

    def part(self, *, rows: int = 3, followers: bool = True, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Let the recovery site receive rows that the next leader of the active site does not, and lose the first."""
        self.second.stop("fast")
        if rows:
            self.query(self.first, ROW.format(2001, 2000 + rows))
        for each in (self.copy, self.beside) if followers else ():
            if each:
                each.awaits(self.model.name, 1000 + rows)
        meanwhile()
        self.first.stop("immediate")
        self.second.port = self.first.port  # the site's address leads to whoever leads there
        self.second.start()
        self.second.promote()
        self.query(self.second, ROW.format(3001, 3010))

    def awaits_line(self, line: str, server: Server | None = None) -> None:
        log = server or self.copy
        wait_until(lambda: line in log.log(), what=line, seconds=60)

    def change(self, **values: Any) -> RoleChange:
        journal = SimpleNamespace(
            recall=lambda key: json.loads(self.memory[key]) if key in self.memory else None,
            remember=lambda key, value: self.memory.__setitem__(key, json.dumps(value)),
            run="000001-rebuild-x",
        )
        return RoleChange(
            cast("Any", self.access), ACTIVE, RECOVERY, 1, "", "anna", "test", journal=cast("Any", journal), **values
        )

    @property
    def database(self) -> SiteDatabase:
        return self.access.database(RECOVERY, self.model)

    def wrap(self, program: str, shell: str) -> None:
        """Let lines of a shell go before a program of the pods."""
        self.replace(program, f'{shell}\nexec {BINARIES / program} "$@"')

    def replace(self, program: str, shell: str) -> None:
        """Let lines of a shell take the place of a program of the pods."""
        real = self.programs / program
        real.unlink()
        real.write_text(f"#!/bin/sh\n{shell}\n")
        real.chmod(0o755)

    def unwrap(self, program: str) -> None:
        (self.programs / program).unlink()
        (self.programs / program).symlink_to(BINARIES / program)

    def remove(self) -> None:
        for each in self.servers:
            each.remove(running=each.runs)
        shutil.rmtree(self.folder, ignore_errors=True)


def contents(server: Server, database: str) -> list[tuple[Any, ...]]:
    """Every row of every table that a client wrote."""
    return server.query(database, "SELECT id, md5(what) FROM orders ORDER BY id")


Make = Callable[..., ApartPair]


@contextmanager
def pairs_made() -> Iterator[Make]:
    """Yield what makes pairs; all of them are removed at the end."""
    made: list[ApartPair] = []

    def one(model: DatabaseModel = COMMERCE, *, beside: bool = False) -> ApartPair:
        made.append(ApartPair(model, beside=beside))
        return made[-1]

    try:
        yield one
    finally:
        for each in made:
            each.remove()


def step(number: int) -> Step:
    """Return a step of a rebuild, counted from 1."""
    return load_runbook(FOLDER / "rebuild", variants=frozenset()).steps[number - 1]
