"""The shop's processes, started as in production: `python -m app <verb>` under Granian."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from free_port import free_port
from postgres_cluster import Cluster
from sealed_by_tests import SealedByTests

from shopsphere.estate.region_facts import region_facts
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.trust import usual_trust
from shopsphere.topology import load_topology

FACTS = region_facts(load_topology(), "rdc-a")
DRAIN_SECONDS = 0.2
"""Nobody asks a process that these tests end."""
SECRET = "a-secret-of-the-tests-that-is-long-enough"
CALL_KEY = "what-shop-and-payments-know-each-other-by"
SEALED = SealedByTests(CALL_KEY)
"""Seals a question to the payments service as the storefront does, and wants a seal of its answer."""


class Process:
    """One running verb of the `shop` command.

    Attributes:
        command: what Python runs; the tests of this ring put paced.py there, benchmarks run the shop as it is.
    """

    command: ClassVar[tuple[str, ...]] = ("-m", "app")

    def __init__(self, verb: str, environment: dict[str, str], *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = Path(tempfile.mkstemp(prefix=f"shop-{verb}-", suffix=".log")[1])
        defaults = {
            "SHOP_LISTEN": "127.0.0.1",
            "SHOP_PORT": str(self.port),
            "SHOP_DRAIN_SECONDS": str(DRAIN_SECONDS),
            "SHOP_SITE": "test",
            "SHOP_ENVIRONMENT": "lab",
            "PAYMENTS_CALL_KEY": CALL_KEY,
        }
        if verb == "serve":
            defaults |= {"SHOP_PUBLIC_URL": self.url, "SHOP_STATIC_URL": self.url}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.command, verb],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **defaults, **environment},
            )
        wait_until(self._is_up, what=f"`shop {verb}` to be ready", seconds=240, interval=0.1, explain=self.log)

    def log(self) -> str:
        return self._log.read_text()

    def ask_to_leave(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End it as a lost machine would."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        return self._process.wait(timeout=60)

    def stop(self) -> None:
        if self._process.poll() is None:
            self.ask_to_leave()
            self.wait()
        self._log.unlink(missing_ok=True)

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            pytest.fail(f"the process ended with code {self._process.returncode}:\n{self.log()}")
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False, verify=usual_trust()).status_code == 200
        except httpx.HTTPError:
            return False


def migrate(
    database: str, cluster: Cluster, *, seconds: int = 60, name_there: str = ""
) -> subprocess.CompletedProcess[str]:
    name = database.upper()
    return subprocess.run(
        [sys.executable, "-m", "app", "migrate", database, "--seconds", str(seconds)],
        cwd=REPOSITORY,
        text=True,
        capture_output=True,
        env={**os.environ, f"{name}_DSN": cluster.dsn(name_there or database), "SHOP_REGION_FACTS": FACTS},
        timeout=120,
        check=False,
    )


def serve(
    cluster: Cluster, payments_url: str, rendered: Path, *, commerce: str = "commerce", facts: str = FACTS,
    drain_seconds: float = DRAIN_SECONDS,
) -> Process:  # fmt: skip
    return Process(
        "serve",
        {
            "SHOP_DRAIN_SECONDS": str(drain_seconds),
            "COMMERCE_DSN": cluster.service_dsn(commerce),
            "SHOP_SESSION_SECRET": SECRET,
            "PAYMENTS_URL": payments_url,
            "SHOP_RENDERED": str(rendered),
            "SHOP_REGION_FACTS": facts,
        },
    )
