"""What customers see when Frankfurt loses power, and that it comes back with its disks."""

from collections.abc import Callable, Iterator

import pytest
from lab_access import At, Lab, Sql

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.full
HOME = "https://www.shopsphere.test/"


def status_of(at: At, host: str, url: str, *options: str) -> str:
    command = ("curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", *options, url)
    return at(host, *command, check=False).stdout


def serves(at: At, site: str) -> bool:
    """Whether the home page comes from this site: while it is away, the other one of its pair shows it."""
    shown = at("client-eu", "curl", "-sS", "-m", "20", "-o", "/dev/null", "-D", "-", HOME, check=False).stdout
    return f"x-served-by: {site}" in shown.lower()


@pytest.fixture(scope="module")
def dark_frankfurt(lab: Lab, at: At, asset: str) -> Iterator[None]:
    assert status_of(at, "client-eu", asset) == "200"
    lab("lab", "power-off", "frankfurt")
    yield
    lab("lab", "power-on", "frankfurt")
    wait_until(lambda: serves(at, "frankfurt"), what="Frankfurt's shop", seconds=240, interval=2)


@pytest.mark.requirement("with Frankfurt powered off, static assets still come from the CDN")
def test_cached_assets_outlive_the_site(at: At, dark_frankfurt: None, asset: str) -> None:
    assert status_of(at, "client-eu", asset) == "200"


@pytest.mark.requirement("with Frankfurt powered off, Ashburn is untouched")
def test_other_region_is_untouched(at: At, dark_frankfurt: None) -> None:
    assert status_of(at, "client-us", HOME) == "200"


@pytest.mark.requirement("no database promotes by itself: a site takes writes only when a failover gives it the role")
def test_dublin_stays_a_standby(sql: Sql, dark_frankfurt: None) -> None:
    assert sql("dublin", "commerce", "select pg_is_in_recovery()") == "t"
    assert sql("dublin", "ledger", "select pg_is_in_recovery()") == "t"


@pytest.mark.requirement("status of a dead site does not hang and does not spoil the others")
def test_status_names_the_dead_site(lab: Lab, dark_frankfurt: None) -> None:
    done = lab("status", "rdc-a", check=False, seconds=60)
    assert done.code == 1
    assert "unreachable" in done.stdout
    assert "dublin" in done.stdout


@pytest.mark.requirement("a site can come back with its disks")
def test_site_comes_back_as_it_was(
    at: At, sql: Sql, dark_frankfurt: None, lab: Lab, wait_for_database: Callable[[str], None]
) -> None:
    lab("lab", "power-on", "frankfurt")
    wait_for_database("frankfurt")
    wait_until(lambda: serves(at, "frankfurt"), what="Frankfurt's shop", seconds=120, interval=2)
    assert sql("frankfurt", "ledger", "select pg_is_in_recovery()") == "f"
    wait_until(
        lambda: sql(
            "frankfurt", "ledger", "select state from pg_stat_replication where application_name not like 'pg_%'"
        )
        == "streaming",
        what="the stream to Dublin",
        seconds=120,
        interval=2,
    )
