"""A mistake in a running shop's database is undone from the archive, beside the live one."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from subprocess import run
from tempfile import mkdtemp
from typing import Any

import pytest
from lab_access import Sql
from lab_command import shopsphere

from runbooks.restore.server import BINARIES, as_server
from shopsphere.foundation.clock import wait_until

PAIR, PRIMARY = "rdc-a", "frankfurt"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="shop-restore-"))
    made.chmod(0o755)
    yield made
    data = made / "restored" / "data"
    if data.exists():
        run([*as_server(BINARIES / "pg_ctl", data.parent), "-m", "immediate", "stop"], check=False)
    rmtree(made)


def told() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shopsphere("backups", PAIR, "--json", check=False, seconds=60).stdout)
    return found


@pytest.mark.requirement("both databases of a pair are in the archive, from both sites")
def test_each_database_is_in_the_archive_from_each_site() -> None:
    def complete() -> bool:
        found = told()
        assert len(found) == 4
        return all(each["base_backup"] and each["wal_until"] and not each["missing"] for each in found)

    wait_until(complete, what="backups", seconds=180, interval=5)


@pytest.mark.requirement("a DROP TABLE is undone to the second before")
def test_a_dropped_table_is_back_beside_the_live_database(sql: Sql, folder: Path) -> None:
    mark = f"probe_{uuid.uuid4().hex[:8]}"
    sql(PRIMARY, "commerce", f"create table {mark} as select generate_series(1, 1000) as i")
    time.sleep(1.5)
    before = datetime.now(UTC)
    time.sleep(1.5)
    sql(PRIMARY, "commerce", f"drop table {mark}")
    after = datetime.now(UTC)

    def covered() -> bool:
        own = [each for each in told() if each["database"] == "commerce" and each["wal_until"]]
        return any(datetime.fromisoformat(each["wal_until"]) > after for each in own)

    wait_until(covered, what="the archive to have it", seconds=180, interval=5)
    words = (
        "restore",
        PAIR,
        "--database",
        "commerce",
        "--to",
        before.isoformat(),
        "--beside",
        str(folder / "restored"),
    )
    output = shopsphere(*words, seconds=300).stdout
    assert f"public.{mark}: 1000 rows" in output
