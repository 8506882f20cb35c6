"""Customers at a region's client host, with a journal of what they were promised."""

import json
import subprocess
import sys
import tempfile

from lab.enter import command_inside, run_inside
from shopsphere.paths import REPOSITORY

CLIENTS = {"rdc-a": "client-eu", "rdc-b": "client-us", "rdc-c": "client-apac"}
ORDERS = str(REPOSITORY / "bench/orders.py")


class Customers:
    """Customers at a client host from now on, until `end`."""

    def __init__(self, host, *words, seconds=600):
        self._file = tempfile.NamedTemporaryFile("w+", prefix="orders-", suffix=".json")  # noqa: SIM115 closed in end
        words = [ORDERS, "--seconds", str(seconds), *words]
        self._host = host
        self._process = subprocess.Popen(command_inside(host, [sys.executable, *words]), stdout=self._file)

    def end(self):
        """Stop them and return their journal."""
        self._signal("TERM")
        self._process.wait(60)
        self._file.seek(0)
        with self._file:
            return json.load(self._file)

    def kill(self):
        if self._process.poll() is None:
            self._signal("KILL")
            self._process.kill()

    def _signal(self, name):
        """Reach the program itself: a signal to what entered the host for it would end only that."""
        run_inside(self._host, ["pkill", f"-{name}", "-f", ORDERS], check=False)
