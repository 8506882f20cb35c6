"""A restored database that must not take the place of the live one does not: it is said why, and what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from replaced_pair import ACTIVE, MARK, PASSIVE, ReplacedPair, begun, mark, marked, servers_of
from shop_processes import migrate

from runbooks.engine import StepFailedError
from runbooks.putting_in_place.instance import Instance
from runbooks.putting_in_place.room import archive_warning
from runbooks.putting_in_place.swapping import Swap, statements
from runbooks.restore.archives import Backup
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.estate.databases import COMMERCE
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.witness import LockLostError, Sync
from shopsphere.witness.record import Phase

pytestmark = pytest.mark.requirement("a restored database takes the place of the live one only where that is safe")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplacedPair]:
    yield from servers_of(COMMERCE, tmp_path_factory.mktemp("records"), MARK)


@pytest.fixture
def pair(servers: ReplacedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplacedPair:
    return begun(servers, tmp_path / "records", monkeypatch, "then")


def test_a_volume_that_would_become_too_full_is_refused_at_either_site(pair: ReplacedPair) -> None:
    copy = pair.copy_now()
    for site in (ACTIVE, PASSIVE):
        pods = pair.access.pods[site]
        pods.disk = "   Used  Avail\n 740000000 210000000\n 740000000 210000000\n"
        with pytest.raises(StepFailedError, match=f"{site}: .*MiB more would make its volume"):
            pair.call(named=copy.name)
        assert pair.names() == {"commerce"}
        assert pair.unfinished() is None
        pods.disk = "   Used  Avail\n 1000 900000000000\n 1000 900000000000\n"
    pods.disk = "no table"
    with pytest.raises(StepFailedError, match="df in a database's pod answered"):
        pair.call(named=copy.name)


def test_an_archive_that_is_behind_is_said() -> None:
    now = datetime(2026, 11, 30, 5, tzinfo=UTC)
    late = Backup("commerce", ACTIVE, now, now - timedelta(minutes=9))
    assert archive_warning([late], 2**20, now) == (
        f"warning: the archive does not take what {ACTIVE} writes (WAL is 9 min behind)"
    )
    assert "expect a gap" in archive_warning([late], 2**30, now)
    assert archive_warning([Backup("commerce", ACTIVE, now, now)], 2**30, now) == ""
    assert "silent" in archive_warning([Backup("commerce", ACTIVE, problem="silent")], 1, now)


def test_an_older_schema_is_refused_and_the_command_that_is_named_brings_it_up(pair: ReplacedPair) -> None:
    pair.live.query("commerce", "UPDATE public.alembic_version SET version_num = '0007'")
    pair.live.query("commerce", "DROP SCHEMA insight CASCADE")
    copy = pair.copy_now()
    assert migrate("commerce", pair.live).returncode == 0
    with pytest.raises(StepFailedError, match="schema of the copy is 0007, that of the live database 0009") as found:
        pair.call(named=copy.name)
    command = str(found.value).partition("call this command again: ")[2].splitlines()[0]
    done = subprocess.run(["sh", "-c", command], cwd=REPOSITORY, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pair.call(named=copy.name)
    assert pair.live.query("commerce", "SELECT version_num FROM public.alembic_version") == [("0009",)]


def test_a_copy_of_another_system_or_database_is_refused(pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="holds another database"):
        pair.copy_now(database="ledger")
    copy = pair.copy_now()
    ask = type(copy).ask

    def other(self: Any, question: str, **more: Any) -> Any:
        found = ask(self, question, **more)
        return {**found, "system": "1"} if isinstance(found, dict) and "system" in found else found

    monkeypatch.setattr(type(copy), "ask", other)
    with pytest.raises(StepFailedError, match=r"system identifier: expected .*, found 1"):
        pair.call(named=copy.name)
    with pytest.raises(UsageError, match="holds no restored database"):
        pair.run(folder=Path("/nonexistent"))


def moved(pair: ReplacedPair) -> None:
    pair.access.witness.mover = "bob since 05:00: failover"


def unleased(pair: ReplacedPair) -> None:
    pair.access.witness.lease_holder = ""


def unsynchronous(pair: ReplacedPair) -> None:
    witness = pair.access.witness
    witness.record = witness.record.changed(actor="test", reason="peer lost", sync=Sync.OFF)


def announced(pair: ReplacedPair) -> None:
    witness = pair.access.witness
    witness.record = witness.record.changed(actor="test", reason="moves", phase=Phase.DRAINING)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(moved, "is being moved: bob"), (unleased, "held by nobody"), (unsynchronous, "sync off"), (announced, "moves")],
)
def test_a_pair_that_is_moved_or_not_whole_is_left_alone(
    pair: ReplacedPair, trouble: Callable[[ReplacedPair], None], said: str
) -> None:
    copy = pair.same_copy()
    trouble(pair)
    with pytest.raises(StepFailedError, match=said):
        pair.call(named=copy.name)
    assert pair.names() == {"commerce"}


@pytest.mark.parametrize("trouble", [unleased, unsynchronous, announced])
def test_the_witness_is_asked_anew_right_before_the_swap(
    pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[ReplacedPair], None]
) -> None:
    copy = pair.same_copy()
    marked(pair, "now")
    lock = type(pair.access.witness).lock

    def locked(self: Any, owner: str, *, seconds: int) -> Any:
        trouble(pair)
        return lock(self, owner, seconds=seconds)

    monkeypatch.setattr(type(pair.access.witness), "lock", locked)
    with pytest.raises(StepFailedError, match="08-swap-names"):
        pair.call(named=copy.name)
    assert mark(pair) == "now"


def test_a_lock_that_is_lost_swaps_nothing(pair: ReplacedPair) -> None:
    copy = pair.same_copy()
    marked(pair, "now")

    def lost(_lock: object) -> None:
        raise LockLostError("the operators' lock was lost")

    pair.access.witness.confirm = lost
    with pytest.raises(StepFailedError, match="lock was lost"):
        pair.call(named=copy.name)
    assert mark(pair) == "now"


def test_an_instance_that_follows_renames_nothing(pair: ReplacedPair) -> None:
    """Also where it was looked at while it led."""
    follower = Instance(pair.access.pods[PASSIVE], "data", "pod-1")  # type: ignore[arg-type]
    live = follower.databases()["commerce"]
    words = statements(Swap("commerce", "commerce_before_20261130t050000z", "ledger"), live, live)
    with pytest.raises(ProgramError, match="this instance follows"):
        follower.run("postgres", ";\n".join(words))
