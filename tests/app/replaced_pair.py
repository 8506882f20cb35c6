"""A pair whose sites are real servers on this machine: one leads, one follows, and a copy of an earlier time stands by.

What runs in pods runs here and finds its server by its port; the witness and the shop's answers are made up.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from postgres_cluster import BINARIES, Cluster
from shop_processes import migrate

from runbooks.engine import Journal
from runbooks.pair_access import PairAccess
from runbooks.putting_in_place.copy import Copy
from runbooks.putting_in_place.replacement import Replacement
from runbooks.putting_in_place.run import ReplacementRequest, drive, journal_of, replacement
from runbooks.restore.beside import FACTS
from runbooks.restore.server import PORT
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.clients.questions import CONTAINER
from shopsphere.estate.databases import COMMERCE, DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Sync
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
ACTIVE, PASSIVE = PAIR.primary, PAIR.recovery
PLENTY = "   Used  Avail\n 1000 900000000000\n 1000 900000000000\n"


class Pods:
    """In place of a site's API: what runs in a database's pod runs here; `pods` answers for other workloads."""

    def __init__(self, site: str, model: DatabaseModel, cluster: Cluster) -> None:
        self.context, self.model, self.server = site, model, cluster
        self.disk = PLENTY
        self.told: list[list[str]] = []
        self.payments: Callable[[list[str]], str] | None = None
        self.before_feeding: Callable[[bytes], object] = lambda _piece: None

    @property
    def _environment(self) -> dict[str, str]:
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "PGUSER": "postgres"}
        return {**os.environ, **where, "PATH": f"{BINARIES}:{os.environ['PATH']}"}

    def get(self, _path: str) -> dict[str, Any]:
        name = self.model.cluster(self.context)
        return {"metadata": {"name": name}, "spec": {}, "status": {"currentPrimary": f"{name}-1"}}

    def items(self, _path: str, **_: str) -> list[dict[str, Any]]:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": "payments-1"}, "status": ready}] if self.payments else []

    def execute(
        self, _namespace: str, pod: str, container: str, command: list[str], *, extra_seconds: float = 0
    ) -> str:
        self.told.append(command)
        if container != CONTAINER:
            assert self.payments, f"{pod} was not to be asked"
            return self.payments(command)
        if command[0] == "df":
            return self.disk
        return self._ended(
            subprocess.run(
                command, env=self._environment, capture_output=True, text=True, timeout=60 + extra_seconds, check=False
            )
        )

    def feed(self, _where: tuple[str, str, str], command: list[str], pieces: Iterable[bytes], *, seconds: float) -> str:
        program = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            assert program.stdin
            for piece in pieces:
                self.before_feeding(piece)
                program.stdin.write(piece)
            program.stdin.flush()
            output, errors = program.communicate(timeout=min(seconds, 300))
        except BrokenPipeError:
            output, errors = program.communicate(timeout=60)
        finally:
            program.kill()
            program.wait()
        return self._ended(subprocess.CompletedProcess(command, program.returncode, output.decode(), errors.decode()))

    @staticmethod
    def _ended(done: subprocess.CompletedProcess[str]) -> str:
        if done.returncode:
            raise ProgramError(f"psql: {done.stderr.strip() or done.returncode}")
        return done.stdout


class Witness:
    """In place of the pair's witness: what it says may be changed."""

    user = "operator"

    pair = PAIR.name

    def __init__(self) -> None:
        self.record = PairRecord.first(PAIR.name, ACTIVE, actor="test").changed(
            actor="test", reason="test", sync=Sync.ON
        )
        self.lease_holder = ACTIVE
        self.mover = ""
        self.locks = 0
        self.confirm = lambda _lock: None

    def see(self) -> Seen:
        return Seen(self.record, 1, self.lease_holder)

    def locked_by(self) -> Any:
        return SimpleNamespace(value=self.mover) if self.mover else None

    def lock(self, _owner: str, *, seconds: int) -> Any:  # noqa: ARG002 the witness's own words
        self.locks += 1
        return SimpleNamespace(lease=1, revision=1)

    def renew_lease(self, _lease: int) -> bool:
        return True

    def release_lease(self, _lease: int) -> None:
        self.locks -= 1


class Access:
    """The ways to that pair."""

    topology, pair, environment = TOPOLOGY, PAIR, Environment.LAB

    def __init__(self, pods: dict[str, Pods]) -> None:
        self.pods, self.witness = pods, Witness()

    def cluster(self, site: str) -> Pods:
        return self.pods[site]

    def database(self, site: str, model: DatabaseModel) -> SiteDatabase:
        return SiteDatabase(model, site, cast("Any", self.pods[site]))

    def each_database(self, site: str, action: Callable[[SiteDatabase], Any]) -> list[Any]:
        return [action(self.database(site, self.pods[site].model))]

    def backups(self) -> list[Any]:
        return []

    def declaration(self) -> Any:
        return SimpleNamespace(addresses={ACTIVE: "10.0.0.1", PASSIVE: "10.0.0.2"})

    def door(self, *_: object, **__: object) -> Any:
        return SimpleNamespace(page=lambda: 1000)


class ReplacedPair:
    """Both servers, the copy beside, and an operator who calls the command."""

    def __init__(self, model: DatabaseModel, records: Path) -> None:
        self.model, self.records = model, records
        self.live = Cluster()
        self.live.admin("ALTER SYSTEM SET wal_keep_size = '64MB'")
        self.live.admin("SELECT pg_reload_conf()")
        done = migrate(model.name, self.live)
        assert done.returncode == 0, done.stderr
        self.follower = Cluster(self.live)
        name = model.cluster(PASSIVE)
        self.follower.admin(
            "ALTER SYSTEM SET primary_conninfo = "
            f"'host=127.0.0.1 port={self.live.port} user=postgres application_name={name}'"
        )
        self.follower.admin("SELECT pg_reload_conf()")
        self.access = Access({ACTIVE: Pods(ACTIVE, model, self.live), PASSIVE: Pods(PASSIVE, model, self.follower)})
        self.beside: Cluster | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="shop-beside-"))
        self.folder.chmod(0o755)

    def begin_anew(self, records: Path) -> None:
        """Forget what an earlier test did, but for what it wrote into the live database."""
        self.records = records
        for name in self.names() - {self.model.name}:
            self.live.admin(f'DROP DATABASE "{name}" WITH (FORCE)')
        for site, pods in self.access.pods.items():
            self.access.pods[site] = Pods(site, self.model, pods.server)
        self.access.witness = Witness()

    @property
    def pod(self) -> Pods:
        return self.access.pods[ACTIVE]

    def copy_now(self, **facts: object) -> Copy:
        """Let a copy stand beside, as of now, as `restore --beside` leaves one."""
        if self.beside:
            self.beside.remove()
        self.beside = Cluster(self.live)
        self.beside.promote()
        self.beside.admin("ALTER SYSTEM SET default_transaction_read_only = 'on'")
        self.beside.admin("SELECT pg_reload_conf()")
        socket = self.folder / "socket" / f".s.PGSQL.{PORT}"
        socket.parent.mkdir(exist_ok=True)
        socket.unlink(missing_ok=True)
        socket.symlink_to(self.beside.data.parent / f".s.PGSQL.{self.beside.port}")
        ((system,),) = self.live.query("postgres", "SELECT system_identifier::text FROM pg_control_system()")
        told = {
            "id": os.urandom(8).hex(), "database": self.model.name, "system": system,
            "to": datetime.now(UTC).isoformat(), "last_transaction": "none", "from": "test", **facts,
        }  # fmt: skip
        (self.folder / FACTS).write_text(json.dumps(told))
        return Copy.of(self.folder, self.model.name)

    def same_copy(self) -> Copy:
        """Return the copy that stands beside; one is made where there is none."""
        return Copy.of(self.folder, self.model.name) if self.beside else self.copy_now()

    def request(self, **words: Any) -> ReplacementRequest:
        asked = {"folder": None if {"undo", "drop"} & set(words) else self.folder, "reason": "test", **words}
        return ReplacementRequest(PAIR.name, Environment.LAB, self.model, **asked)

    def run(self, **words: Any) -> Replacement:
        return replacement(cast("PairAccess", self.access), self.request(**words), self.unfinished())

    def unfinished(self) -> Any:
        return Journal.unfinished(self.records, pair=PAIR.name)

    def call(self, **words: Any) -> Journal:
        """Begin, or go on, as the command does."""
        left = self.unfinished()
        run = replacement(cast("PairAccess", self.access), self.request(**words), left)
        with journal_of(self.records, run, left) as journal:
            drive(replace(run, journal=journal), journal, cast("Any", SimpleNamespace(note=lambda _: None)))
        return journal

    def names(self) -> set[str]:
        rows = self.live.query("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate")
        return {name for (name,) in rows} - {"postgres", "commerce" if self.model is not COMMERCE else "ledger"}

    def caught_up(self) -> None:
        def is_there() -> bool:
            ((where,),) = self.live.query("postgres", "SELECT pg_current_wal_lsn()::text")
            rows = self.follower.query("postgres", "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", where)
            return bool(rows[0][0])

        wait_until(is_there, what="the follower", seconds=60)

    def remove(self) -> None:
        for each in (self.beside, self.follower, self.live):
            if each:
                each.remove()
        shutil.rmtree(self.folder)


def servers_of(model: DatabaseModel, records: Path, *statements: str) -> Iterator[ReplacedPair]:
    """A fixture's pair, on servers of its own, which ran these statements; it is gone at the end."""
    made = ReplacedPair(model, records)
    for each in statements:
        made.live.query(model.name, each)
    yield made
    made.remove()


def begun(servers: ReplacedPair, records: Path, monkeypatch: pytest.MonkeyPatch, text: str = "") -> ReplacedPair:
    """A test's pair on a module's servers: the shop takes forms, and where there is a mark, it says this text."""
    monkeypatch.setattr("shopsphere.clients.web.takes_forms", lambda _door: True)
    servers.begin_anew(records)
    if text:
        marked(servers, text)
    return servers


MARK = "CREATE TABLE public.mark (text text)"


def marked(pair: ReplacedPair, text: str) -> None:
    pair.live.query("commerce", f"TRUNCATE public.mark; INSERT INTO public.mark VALUES ('{text}')")


def mark(pair: ReplacedPair) -> str:
    """What a service's login reads in the live database, now."""
    with psycopg.connect(pair.live.service_dsn("commerce"), connect_timeout=15) as service:
        service.execute("SELECT FROM catalogue.product")
    ((found,),) = pair.live.query("commerce", "SELECT text FROM public.mark")
    return str(found)
