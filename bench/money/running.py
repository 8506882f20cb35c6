"""The shop on this machine: its processes, customers, faults and kills."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from buying import Customer, Journal
from postgres_cluster import Cluster
from processor_time import of_process, of_server
from shop_processes import FACTS, SECRET, Process, migrate

from app.media.render import render

ADMIN_TOKEN = "the-token-of-the-bench"
FAULTS = (
    "lose_answers", "delay_ms", "wrong_answers", "wrong_lookups", "lose_lookups", "refuse", "double", "authorise_only",
    "other_amount", "other_currency",
)  # fmt: skip
LATE_MS = 1500  # longer than the payments service waits here
PSP_SECONDS = "1"
STOCK = 10**6


@dataclass
class Sold:
    """What customers were promised, and what it cost."""

    journal: Journal
    seconds: float
    cpu_seconds: dict[str, float]
    faults_set: int
    kills: dict[str, int]

    def figures(self) -> dict[str, object]:
        orders = len(self.journal.orders)
        return {
            "orders": orders,
            "seconds": round(self.seconds, 1),
            "orders_per_second": round(orders / self.seconds, 2),
            "cpu_ms_per_order": {
                name: round(1000 * seconds / max(orders, 1), 1) for name, seconds in self.cpu_seconds.items()
            },
            "faults_set": self.faults_set,
            "kills": self.kills,
            "refused": dict(self.journal.refusals),
        }


@dataclass
class Bench:
    """Everything that runs."""

    seed: int
    processes: dict[str, Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._folder = Path(tempfile.mkdtemp(prefix="bench-money-"))
        self.books = self._folder / "books.sqlite"
        rendered = self._folder / "rendered"
        render(rendered)
        self.cluster = Cluster()
        for database in ("commerce", "ledger"):
            done = migrate(database, self.cluster)
            if done.returncode:
                raise RuntimeError(done.stdout + done.stderr)
        self.cluster.query("commerce", "UPDATE inventory.stock SET free = %s", STOCK)
        self._variables = {"psp": {"PSP_STATE_FILE": str(self.books), "PSP_ADMIN_TOKEN": ADMIN_TOKEN}}
        self._start("psp")
        for number in (1, 2):
            self._variables[f"payments {number}"] = self.payments_variables()
            self._start(f"payments {number}")
            self._variables[f"serve {number}"] = {
                "COMMERCE_DSN": self.cluster.dsn("commerce"),
                "SHOP_SESSION_SECRET": SECRET,
                "PAYMENTS_URL": self.processes[f"payments {number}"].url,
                "SHOP_RENDERED": str(rendered),
                "SHOP_REGION_FACTS": FACTS,
            }
            self._start(f"serve {number}")
        self._ended_cpu: dict[str, float] = {}

    def payments_variables(self) -> dict[str, str]:
        """Return what a payments service, or a comparison of the books, needs."""
        return {
            "LEDGER_DSN": self.cluster.dsn("ledger"),
            "PSP_URL": self.processes["psp"].url,
            "PSP_TIMEOUT_SECONDS": PSP_SECONDS,
            "PAYMENTS_RESOLVE_SECONDS": "0.5",
            "SHOP_ENVIRONMENT": "lab",
        }

    def _start(self, name: str) -> None:
        before = self.processes.get(name)
        port = before.port if before else None
        self.processes[name] = Process(name.split()[0], self._variables[name], port=port)

    @property
    def shops(self) -> list[str]:
        """Return the addresses of the storefronts."""
        return [process.url for name, process in self.processes.items() if name.startswith("serve")]

    def admin(self, method: str, path: str, body: object) -> httpx.Response:
        """Ask the simulated provider for something that only its own people may."""
        return httpx.request(
            method,
            f"{self.processes['psp'].url}{path}",
            json=body,
            headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
            trust_env=False,
            timeout=30,
        ).raise_for_status()

    def sell(self, orders: int, workers: int, fault_percent: float, kill_every: float) -> Sold:
        """Let customers order until so many orders are acknowledged."""
        journal, begin = Journal(orders), time.monotonic()
        before = self._cpu()
        threads = [
            threading.Thread(target=Customer(self.shops, journal, self.seed * 1000 + number).buy_on, daemon=True)
            for number in range(workers)
        ]
        for thread in threads:
            thread.start()
        faults, kills = 0, dict.fromkeys(("serve", "payments", "psp", "postgres"), 0)
        next_kill = begin + kill_every
        while any(thread.is_alive() for thread in threads):
            wanted = len(journal.orders) * fault_percent / 100
            while faults < wanted:
                self._play(self._random.choice(FAULTS))
                faults += 1
            if kill_every and time.monotonic() > next_kill:
                kills[self._kill()] += 1
                next_kill = time.monotonic() + self._random.uniform(0.5, 1.5) * kill_every
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        self.admin("PUT", "/admin/faults", {})
        after = self._cpu()
        return Sold(journal, seconds, {name: after[name] - before[name] for name in after}, faults, kills)

    def _play(self, fault: str) -> None:
        """Add a fault to those that are to come; a late one makes every answer late until the next is added."""
        try:
            coming = self.admin("GET", "/admin/faults", None).json()
            more = {"delay_ms": LATE_MS} if fault == "delay_ms" else {"delay_ms": 0, fault: coming[fault] + 1}
            self.admin("PUT", "/admin/faults", {**coming, **more})
        except httpx.HTTPError:
            return  # the provider was killed; what was to come is forgotten with it

    def _kill(self) -> str:
        """Kill a process and start it again; return what it was."""
        if self._random.random() < 0.1:
            self._ended_cpu["postgres"] = self._ended_cpu.get("postgres", 0) + of_server(self.cluster.data)
            self.cluster.stop("immediate")
            self.cluster.start()
            return "postgres"
        name = self._random.choice(list(self.processes))
        process = self.processes[name]
        kind = name.split()[0]
        self._ended_cpu[kind] = self._ended_cpu.get(kind, 0) + of_process(process.pid)
        process.kill()
        time.sleep(self._random.uniform(0, 1))
        self._start(name)
        return kind

    def _cpu(self) -> dict[str, float]:
        found = {"postgres": of_server(self.cluster.data)}
        for name, process in self.processes.items():
            kind = name.split()[0]
            found[kind] = found.get(kind, 0) + of_process(process.pid)
        return {kind: seconds + self._ended_cpu.get(kind, 0) for kind, seconds in found.items()}

    def close(self) -> None:
        """End everything."""
        for process in reversed(list(self.processes.values())):
            process.stop()
        self.cluster.remove()
