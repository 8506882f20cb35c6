"""A throwaway PostgreSQL 15 for tests: an own data folder, an own port on loopback, run by a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from free_port import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")
SETTINGS = "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100 -c wal_level=replica -c max_wal_senders=4"


SERVICES = {"commerce": "shop_app", "ledger": "payments_app"}
"""Login of the service that works with a database, by the database's name."""
OTHERS = {"commerce": ("insight_app", "recommend_app", "export_app")}
"""Further logins at a database; its owner is no member of them."""


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{BINARIES}:{os.environ.get('PATH', '')}")
    if found is None:
        pytest.fail(
            f"{name} is missing\n  expected: PostgreSQL 15 server programs in {BINARIES} or on PATH\n"
            "  found:    none\n  do:       apt-get install postgresql-15"
        )
    return found


def _account() -> dict[str, Any]:
    """Return how to start a program as a user that PostgreSQL accepts: itself, or `postgres` when we are root."""
    if os.getuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        pytest.fail(
            "PostgreSQL does not run as root\n  expected: a user `postgres`, or tests run by a user that is not root\n"
            "  found:    root, and no such user\n  do:       apt-get install postgresql-common"
        )
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Cluster:
    """One server with the databases `commerce` and `ledger`, owned as in production."""

    def __init__(self, source: Cluster | None = None) -> None:
        self.port = free_port()
        self._home = Path(tempfile.mkdtemp(prefix="shop-pg-"))
        self._data = self._home / "data"
        self._home.chmod(0o755)
        if "user" in (account := _account()):
            os.chown(self._home, account["user"], account["group"])
        if source is None:
            self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres")
        else:
            self._run(
                "pg_basebackup",
                "-h",
                "127.0.0.1",
                "-p",
                source.port,
                "-U",
                "postgres",
                "-D",
                self._data,
                "-R",
                "-c",
                "fast",
            )
        self.start()
        if source is None:
            # What CloudNativePG makes: the owner may create no role, the logins of programs are there.
            for owner, role in SERVICES.items():
                self.admin(f"CREATE ROLE {owner} LOGIN")
                self.admin(f"CREATE ROLE {role} LOGIN")
                self.admin(f"GRANT {role} TO {owner}")
                for other in OTHERS.get(owner, ()):
                    self.admin(f"CREATE ROLE {other} LOGIN")
                self.admin(f"CREATE DATABASE {owner} OWNER {owner}")

    @property
    def data_directory(self) -> Path:
        return self._data

    def dsn(self, database: str) -> str:
        """The way of whoever migrates: as the owner."""
        owner = database.partition("_")[0]
        return f"postgresql://{owner}@127.0.0.1:{self.port}/{database}"

    def service_dsn(self, database: str, role: str = "") -> str:
        """The way of a service, or of another login, which owns nothing."""
        role = role or SERVICES[database.partition("_")[0]]
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def query(self, database: str, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []

    def admin(self, statement: str) -> None:
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(statement)

    def start(self) -> None:
        options = f"-p {self.port} -k {self._home} {SETTINGS}"
        self._run("pg_ctl", "-D", self._data, "-l", self._home / "log", "-o", options, "-w", "-t", "60", "start")

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "promote")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")

    @property
    def data(self) -> Path:
        return self._data

    def remove(self, *, running: bool = True) -> None:
        if running:
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        # Output goes to a file: pg_ctl's child would keep a pipe open for ever.
        with (self._home / "programs.log").open("a") as log:
            done = subprocess.run(
                [_program(program), *map(str, arguments)],
                stdout=log,
                stderr=log,
                cwd="/tmp",
                timeout=120,
                check=False,
                **_account(),
            )
        if done.returncode != 0:
            pytest.fail(f"{program} failed:\n{(self._home / 'programs.log').read_text()[-2000:]}")
