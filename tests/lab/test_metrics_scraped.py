"""The exporter, asked as Prometheus asks it, tells of a healthy pair what there is."""

import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from lab_access import Lab
from prometheus_client.parser import text_string_to_metric_families

from runbooks.metrics.sources import SOURCES
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

LISTEN = "127.0.0.1:19469"
HOME, AWAY = "frankfurt", "dublin"
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape() -> Figures:
    """Every sample by its name and its labels in the order of their names; nothing while nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{LISTEN}/metrics", timeout=20) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("shopsphere_")
    }


def figure(found: Figures, name: str, **labels: str) -> float | None:
    return found.get((f"shopsphere_{name}", tuple(sorted({"pair": "rdc-a", **labels}.items()))))


def door(site: str) -> float | None:
    return figure(scrape(), "door_open", site=site, door="writes")


def lease(site: str) -> float | None:
    return figure(scrape(), "lease_held", site=site)


def all_answer() -> bool:
    """Every source of the pair has told; one that was not asked yet has no `source_up` at all."""
    expected = sum(2 if source.of_each_site else 1 for source in SOURCES)
    told = [value for (name, _), value in scrape().items() if name == "shopsphere_source_up"]
    return told == [1.0] * expected


@pytest.fixture(scope="module")
def exporter(lab: Lab) -> Iterator[None]:
    command = [str(REPOSITORY / ".venv/bin/shopsphere"), "metrics", "rdc-a", "--listen", LISTEN]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(all_answer, what="all sources", seconds=240)
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_a_healthy_pair_is_told(exporter: None) -> None:
    # A source that does not answer in its time has no figure until it is asked again.
    wait_until(lambda: (door(HOME), door(AWAY)) == (1, 0), what="the doors", seconds=90)
    wait_until(lambda: (lease(HOME), lease(AWAY)) == (1, 0), what="the leases", seconds=90)
    wait_until(all_answer, what="all sources", seconds=120)
    found = scrape()
    assert figure(found, "sync_on") in {0, 1}
    assert figure(found, "payments_unsettled_oldest_seconds", site="frankfurt") is not None
    assert any(name.startswith("shopsphere_certificate_ends") and ("site", AWAY) in labels for name, labels in found)
