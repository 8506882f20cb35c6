"""The lab ring: everything here looks at real clusters from outside. One lab serves all tests of a session."""

import json
import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import failure_dump
import moving_pair
import pytest
from database_session import Databases
from lab_access import At, Kube, Lab, Page, Sql
from lab_command import shopsphere
from moving_pair import Orders
from present import present

from lab import control_group, record
from lab.cluster.addons import kubectl
from lab.enter import run_inside
from lab.hosts import LabHosts, load_hosts
from shopsphere.estate.lab_owner import require_own_lab
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import Result
from shopsphere.topology import Topology, load_topology
from shopsphere.witness import Sync, Witness
from shopsphere.witness.access import operated_witness

REGIONS = ("rdc-a", "rdc-b")
RING = Path(__file__).resolve().parent
_UP_SECONDS = 2400
_DOWN_SECONDS = 600
_HANGS_SECONDS = 5400
"""For a test with all that it is the first one to need: longer than commands may take together."""
OF_ONE_PAIR = {"test_nodes", "test_instances_beside"}
"""Of several nodes: twice as many clusters' programs, which not every machine carries for two pairs."""
LAST = "test_down"  # it ends the lab
MOVES, AUDITED = "test_failover", "test_audit_verify_lab"
"""What is done to the audit log is tried after those that move a pair: they have written one."""
_DUMPS = pytest.StashKey[int]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if RING in item.path.parents:  # the lab's own start and each command have bounds of their own
            item.add_marker(pytest.mark.timeout(_HANGS_SECONDS))
    moves = [at for at, item in enumerate(items) if item.path.stem == MOVES]
    if moves:
        before, after = items[: moves[-1] + 1], items[moves[-1] + 1 :]
        audited = [item for item in items if item.path.stem == AUDITED]
        items[:] = [*_without(before, audited), *audited, *_without(after, audited)]
    items.sort(key=lambda item: item.path.stem == LAST)


def _without(items: list[pytest.Item], others: list[pytest.Item]) -> list[pytest.Item]:
    return [item for item in items if item not in others]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say at once, not after the other rings, that another checkout's lab runs on this machine."""
    mine = any(RING in item.path.parents for item in session.items)
    if mine and control_group.identity() is not None and not session.config.option.collectonly:
        try:
            require_own_lab()
        except ShopSphereError as error:
            pytest.exit(f"the lab ring cannot run: {error}", returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave what the clusters, agents and witnesses say when a test has failed, before the next one changes it."""
    report = yield
    written = item.config.stash.get(_DUMPS, 0)
    if report.failed and written < failure_dump.PER_SESSION:
        item.config.stash[_DUMPS] = written + 1
        folder = failure_dump.folder_of(item.nodeid)
        try:
            failure_dump.write_dump(folder, failure_dump.lab_sources())
        except Exception as error:  # noqa: BLE001 the test's own failure is what counts
            report.sections.append(("state of the lab", f"could not be written to {folder}: {error}"))
        else:
            report.sections.append(("state of the lab", f"written to {folder}"))
    return report


@pytest.fixture(scope="session")
def topology() -> Topology:
    return load_topology(environment="lab")


@pytest.fixture(scope="session")
def hosts(topology: Topology) -> LabHosts:
    return load_hosts(topology)


@pytest.fixture(scope="session", autouse=True)
def lab(request: pytest.FixtureRequest) -> Lab:
    of_one = all(Path(item.path).stem in OF_ONE_PAIR for item in request.session.items)
    regions = REGIONS[:1] if of_one else REGIONS
    if os.geteuid() != 0:
        pytest.fail("the lab ring needs root: expected uid 0, found another; run `make test` as root")
    if control_group.identity() is None:  # what a crash, a power loss or another checkout left is no ground for tests
        shopsphere("lab", "down", seconds=_DOWN_SECONDS)
    shopsphere("lab", "up", *regions, seconds=_UP_SECONDS)
    for region in regions:  # at once, two cores are so busy that the CDN does not answer in time
        shopsphere("up", region, seconds=_UP_SECONDS)
    shopsphere("up", "edge", seconds=_UP_SECONDS)
    assert set(regions) <= set(record.regions())
    return shopsphere


@pytest.fixture(scope="session")
def at() -> At:
    """Run a command at a host: at("client-eu", "curl", …).stdout."""

    def execute(host: str, *command: str, check: bool = True, seconds: float = 60) -> Result:
        return run_inside(host, command, check=check, seconds=seconds)

    return execute


@pytest.fixture(scope="session")
def kube() -> Kube:
    """Read a Kubernetes object or list as a document: kube("frankfurt", "nodes")."""

    def get(site: str, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(kubectl(site, "get", *words, "-o", "json"))
        return document

    return get


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The sessions behind `sql`; they are opened anew after an end."""
    opened = Databases()
    yield opened
    opened.end()


@pytest.fixture(scope="session")
def sql(databases: Databases) -> Sql:
    """Ask a site's database: sql("dublin", "ledger", "select 1") returns the rows as tab-separated text."""
    return databases.ask


@pytest.fixture(scope="session")
def wait_for_database(sql: Sql) -> Callable[[str], None]:
    """Wait until the ledger of a site that starts answers: wait_for_database("frankfurt")."""

    def answers(site: str) -> bool:
        try:
            return sql(site, "ledger", "select 1") == "1"
        except Exception:  # noqa: BLE001 whatever a site that is starting answers
            return False

    def wait(site: str) -> None:
        wait_until(lambda: answers(site), what=f"the ledger of {site}", seconds=240, interval=3)

    return wait


@pytest.fixture(scope="session")
def page(at: At) -> Page:
    """Fetch a page as a customer does: page("client-eu", "/search?q=tee") returns its HTML."""

    def fetch(host: str, path: str = "/") -> str:
        return at(host, "curl", "-sS", "-f", "-m", "30", f"https://www.shopsphere.test{path}").stdout

    return fetch


@pytest.fixture(scope="session")
def asset(lab: Lab, page: Page) -> str:
    """Public address of a product's picture, as the home page names it."""
    return present(re.search(r'https://static\.shopsphere\.test/media/[^"]+', page("client-eu"))).group()


@pytest.fixture(scope="module")
def witness(lab: Lab) -> Iterator[Witness]:
    """The witness of the pair that tests move, asked as operators do; it is whole when a module begins."""
    witness = operated_witness(moving_pair.PAIR, Environment.LAB)
    wait_until(lambda: moving_pair.record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=180)
    yield witness
    witness.close()


@pytest.fixture(scope="module")
def first_witness(lab: Lab) -> Iterator[Witness]:
    """The witness of the first region's pair, which has several nodes per site where others may not; as above."""
    with closing(operated_witness(REGIONS[0], Environment.LAB)) as witness:
        wait_until(lambda: witness.see().require_record(REGIONS[0]).sync is Sync.ON, what="sync on", seconds=240)
        yield witness


@pytest.fixture
def orders(tmp_path: Path, sql: Sql, witness: Witness) -> Iterator[Callable[[float], Orders]]:
    """Customers of that pair: orders(60) starts some for a minute; .end() waits and returns their journal."""
    started = []
    sql(moving_pair.record(witness).active, "commerce", "update inventory.stock set free = 1000000")

    def start(seconds: float) -> Orders:
        started.append(moving_pair.Orders(tmp_path, seconds))
        return started[-1]

    yield start
    for each in started:
        each.stop()
