"""Customers at a region's client host, with a journal of what they were promised."""

import json
import subprocess
import sys
import tempfile
from typing import Any

from command import SHOPSPHERE

from lab.enter import command_inside
from lab.hosts import client_host
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology

CLIENTS = {name: client_host(pair.jurisdiction) for name, pair in load_topology(environment="lab").pairs.items()}
ORDERS = str(REPOSITORY / "bench/orders.py")


def fill_stock(site: str) -> None:
    """Have more pieces of everything than customers can order, at the site that is active."""
    statement = "update inventory.stock set free = 1000000"
    run([SHOPSPHERE, "lab", "psql", site, "commerce", "--", "-c", statement], seconds=60, cwd=REPOSITORY)


class Customers:
    """Customers at a client host from now on, until `end`."""

    def __init__(self, host: str, *words: str, seconds: float = 600) -> None:
        self._file = tempfile.NamedTemporaryFile("w+", prefix="orders-", suffix=".json")  # noqa: SIM115 closed in end
        command = [sys.executable, ORDERS, "--attended", "--seconds", str(seconds), *words]
        self._process = subprocess.Popen(command_inside(host, command), stdin=subprocess.PIPE, stdout=self._file)

    def end(self) -> dict[str, Any]:
        """Stop them and return their journal."""
        self.leave()
        self._process.wait(60)
        self._file.seek(0)
        with self._file:
            journal: dict[str, Any] = json.load(self._file)
            return journal

    def leave(self) -> None:
        """Tell them to come to an end; they also do when this process is no more."""
        assert self._process.stdin is not None
        self._process.stdin.close()
