"""Headquarters' pages for a browser: PostgreSQL with the releases of the tests, and `shop report` on loopback."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from pathlib import Path

from free_port import free_port
from postgres_cluster import Cluster
from report_world import FIRST, LOGIN, NAME, REGIONS, headquarters
from shop_processes import Process

from app.customers.passwords import hash_password

HERE = Path(__file__).resolve().parent
SPAN = f"/?last={FIRST.replace(day=FIRST.day + 4)}&days=7"


def look_at_report(screenshots: Path | None) -> int:
    """Walk through them; returns 1 when there is a finding."""
    password, port = secrets.token_urlsafe(12), free_port()
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    cluster = Cluster()
    try:
        with headquarters(cluster), tempfile.TemporaryDirectory() as folder:
            staff = Path(folder) / "staff"
            staff.write_text(f"ada:{hash_password(password)}\n")
            variables = {
                "REPORT_DSN": cluster.service_dsn(NAME, LOGIN),
                "REPORT_SECRET": secrets.token_urlsafe(32),
                "REPORT_STAFF_FILE": str(staff),
                "REPORT_REGIONS": REGIONS,
                "REPORT_PUBLIC_URL": f"http://localhost:{port}",
            }
            running = Process("report", variables, port=port)
            try:
                words = ["node", "report.js", f"http://localhost:{port}", "ada", password, SPAN]
                shots = [str(screenshots.resolve())] if screenshots else []
                return subprocess.run([*words, *shots], cwd=HERE, check=False, timeout=600).returncode
            finally:
                running.stop()
    finally:
        cluster.remove()
