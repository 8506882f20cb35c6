"""One cluster and one of each process for all tests of the shop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from archive_place import ArchivePlace
from counting_place import emptied, made_in, removed_from
from mock_broker import mock_broker
from postgres_cluster import Cluster
from running_shop import ADMIN_TOKEN, Shop
from shop_processes import Process, migrate, serve
from shopper import Shopper

from app.media.render import render


@pytest.fixture(scope="session", autouse=True)
def quick_loops() -> Iterator[None]:
    """Every process of this ring has quicker background loops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "command", (str(Path(__file__).with_name("paced.py")),))
        yield


@pytest.fixture(autouse=True)
def patient_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test asks without a bound has a minute for its answer; httpx itself waits for 5 s."""
    for name in ("get", "post", "put", "delete", "request"):
        monkeypatch.setattr(httpx, name, partial(getattr(httpx, name), timeout=60))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rendered")
    render(directory)
    return directory


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        for database in ("commerce", "ledger"):
            done = migrate(database, cluster)
            assert done.returncode == 0, done.stdout + done.stderr
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def shop(cluster: Cluster, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    running: list[Process] = []
    try:
        books = tmp_path_factory.mktemp("psp") / "books.sqlite"
        running.append(Process("psp", {"PSP_STATE_FILE": str(books), "PSP_ADMIN_TOKEN": ADMIN_TOKEN}))
        psp = running[-1]
        running.append(
            Process(
                "payments",
                {
                    "LEDGER_DSN": cluster.service_dsn("ledger"),
                    "PSP_URL": psp.url,
                    "PSP_TIMEOUT_SECONDS": "1.5",
                    "PAYMENTS_RESOLVE_SECONDS": "0.3",
                },
            )
        )
        payments = running[-1]
        running.append(serve(cluster, payments.url, rendered))
        yield Shop(cluster, running[-1], payments, psp)
    finally:
        for process in reversed(running):
            process.stop()


@pytest.fixture
def shopper(shop: Shop) -> Shopper:
    return shop.shopper()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ArchivePlace]:
    made = ArchivePlace(tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def counting_database(cluster: Cluster) -> Iterator[Cluster]:
    made_in(cluster)
    try:
        yield cluster
    finally:
        removed_from(cluster)


@pytest.fixture
def counts(counting_database: Cluster) -> Cluster:
    """The cluster with the database for counts, in which nothing is counted yet."""
    emptied(counting_database)
    return counting_database


@pytest.fixture
def broker() -> Iterator[str]:
    """The address of a log of clicks in memory."""
    with mock_broker() as address:
        yield address


@pytest.fixture
def database() -> Iterator[Cluster]:
    """A cluster of its own, with the replication user that a site's has."""
    made = Cluster()
    made.admin("CREATE ROLE streaming_replica LOGIN REPLICATION")
    # As at a site: a base backup's own checkpoint must not remove what the receiver is about to read.
    made.admin("ALTER SYSTEM SET wal_keep_size = '48MB'")
    made.admin("SELECT pg_reload_conf()")
    yield made
    made.remove(running=False)
