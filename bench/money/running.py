"""The shop on this machine: PostgreSQL, the provider, two payments services, two storefronts."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from killing import kill_server
from postgres_cluster import Cluster
from processor_time import children_of
from shop_processes import CALL_KEY, FACTS, SECRET, Process, migrate
from troubling import Provider

from app.media.render import render

ADMIN_TOKEN = "the-token-of-the-bench"
PSP_SECONDS = "1"
STOCK = 10**6


class Shop:
    """Everything that runs, in one folder that goes with it."""

    processes: dict[str, Process]
    cluster: Cluster
    provider: Provider

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-money-"))
        self.folder.chmod(0o711)  # PostgreSQL runs as another user
        tempfile.tempdir = str(self.folder)  # logs and data of all processes go there
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(self.folder / "bytecode")  # as in the image: nothing is compiled twice
        self.books = self.folder / "books.sqlite"
        self.processes = {}
        self._variables: dict[str, dict[str, str]] = {}

    def open(self) -> None:
        """Start everything."""
        rendered = self.folder / "rendered"
        render(rendered)
        self.cluster = Cluster()
        for database in ("commerce", "ledger"):
            done = migrate(database, self.cluster)
            if done.returncode:
                raise RuntimeError(done.stdout + done.stderr)
        self.cluster.query("commerce", "UPDATE inventory.stock SET free = %s", STOCK)
        self._variables["psp"] = {"PSP_STATE_FILE": str(self.books), "PSP_ADMIN_TOKEN": ADMIN_TOKEN}
        self.start("psp")
        self.provider = Provider(self.processes["psp"].url, ADMIN_TOKEN)
        for number in (1, 2):
            self._variables[f"payments {number}"] = self.payments_variables()
            self.start(f"payments {number}")
            self._variables[f"serve {number}"] = {
                "COMMERCE_DSN": self.cluster.service_dsn("commerce"),
                "SHOP_SESSION_SECRET": SECRET,
                "PAYMENTS_URL": self.processes[f"payments {number}"].url,
                "SHOP_RENDERED": str(rendered),
                "SHOP_REGION_FACTS": FACTS,
            }
            self.start(f"serve {number}")

    def payments_variables(self) -> dict[str, str]:
        """Return what a payments service, or a comparison of the books, needs."""
        return {
            "LEDGER_DSN": self.cluster.service_dsn("ledger"),
            "PSP_URL": self.processes["psp"].url,
            "PSP_TIMEOUT_SECONDS": PSP_SECONDS,
            "PAYMENTS_RESOLVE_SECONDS": "0.5",
            "SHOP_ENVIRONMENT": "lab",
            "PAYMENTS_CALL_KEY": CALL_KEY,
        }

    def start(self, name: str) -> None:
        """Start a process, again at the port that it had."""
        before = self.processes.get(name)
        self.processes[name] = Process(name.split()[0], self._variables[name], port=before.port if before else None)

    @property
    def shops(self) -> list[str]:
        """Return the addresses of the storefronts."""
        return [process.url for name, process in self.processes.items() if name.startswith("serve")]

    def close(self, *, keep: bool) -> None:
        """End everything that was started, also what was only being started; nothing here waits for an answer.

        Args:
            keep: whether the folder stays, for whoever wants to know what happened.
        """
        for pid in children_of(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for data in self.folder.glob("shop-pg-*/data"):
            kill_server(data)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
