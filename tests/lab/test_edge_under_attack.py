"""Pictures and readers while a stranger floods the CDN, origins are cut, or a site's shop is gone."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lab_access import At, Kube, Lab, Page
from lab_command import shopsphere

from lab.cluster.addons import kubectl
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import Topology

CLIENT = "client-eu"
FLOOD = 12_300
PICTURES = 56
SHOP = "https://www.shopsphere.test"


def statuses(at: At, *words: str, seconds: float = 300) -> list[int]:
    """Ask with one curl, 50 requests at a time, and return the status of each answer."""
    command = ["curl", "-sS", "--http1.1", "-Z", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code}\n"]
    return [int(line) for line in at(CLIENT, *command, *words, check=False, seconds=seconds).stdout.split()]


@contextmanager
def cut(host: str, sites: list[str]) -> Iterator[None]:
    try:
        for site in sites:
            shopsphere("lab", "cut", host, site)
        yield
    finally:
        for site in sites:
            shopsphere("lab", "heal", host, site)


@pytest.mark.long
@pytest.mark.requirement("the CDN cannot be emptied: stale copies answer when origins are cut")
def test_a_flood_empties_nothing(lab: Lab, at: At, page: Page, topology: Topology) -> None:
    shelves = re.findall(r'href="(/categories/[a-z-]+)"', page(CLIENT))
    found = (re.findall(r'src="(https://static[^"]+\.svg)"', page(CLIENT, shelf)) for shelf in dict.fromkeys(shelves))
    pictures = list(dict.fromkeys(picture for shelf in found for picture in shelf))[:PICTURES]
    assert len(pictures) == PICTURES
    each = [word for picture in pictures for word in (picture, "-o", "/dev/null")]
    assert statuses(at, *each) == [200] * PICTURES
    flood = statuses(at, f"{pictures[0]}?v=[1-{FLOOD}]")
    made_up = re.sub(r"\.[0-9a-f]{12}\.", f".{secrets.token_hex(4)}[1000-9999].", pictures[0])
    unknown = statuses(at, made_up)
    assert (set(flood), len(flood)) == ({200}, FLOOD)
    assert set(unknown) == {404}
    with cut("edge", [site for pair in topology.pairs.values() for site in pair.sites]):
        assert statuses(at, *each) == [200] * PICTURES


def replicas(kube: Kube, count: int) -> None:
    kubectl("frankfurt", "scale", "-n", "shop", "deployment/shop", f"--replicas={count}")
    wait_until(
        lambda: ready(kube("frankfurt", "deployment/shop", "-n", "shop")) == count, what=f"{count} pods", seconds=240
    )


def ready(deployment: dict[str, Any]) -> int:
    return int(deployment["status"].get("readyReplicas", 0))


@pytest.mark.requirement("a shop that is gone leaves a page of ours, and readers are led to the other site")
def test_readers_are_led_away_from_a_dead_shop(lab: Lab, at: At, kube: Kube, topology: Topology) -> None:
    def served_by() -> str:
        answer = at(CLIENT, "curl", "-sS", "-m", "10", "-o", "/dev/null", "-D", "-", f"{SHOP}/", check=False).stdout
        found = re.search(r"(?im)^HTTP/\S+ (\d+).*?^x-served-by: (\S+)", answer, re.DOTALL)
        return " ".join(found.groups()) if found else "nobody"

    wanted = kube("frankfurt", "deployment/shop", "-n", "shop")["spec"]["replicas"]
    wait_until(lambda: served_by().strip() == "200 frankfurt", what="Frankfurt to serve", seconds=60)
    try:
        replicas(kube, 0)
        here = ["--resolve", f"www.shopsphere.test:443:{topology.site('frankfurt').address}"]
        words = ["curl", "-sS", "-m", "10", "-D", "-", "-w", "", *here, f"{SHOP}/"]
        wait_until(
            lambda: "503" in at(CLIENT, *words, check=False).stdout.partition("\n")[0],
            what="the gateway to know",
            seconds=120,
        )
        answer = at(CLIENT, *words).stdout
        assert re.search(r"(?im)^retry-after: 5\r?$", answer), answer
        assert "Nothing was charged or ordered" in answer
        wait_until(lambda: served_by().strip() == "200 dublin", what="readers to be led to Dublin", seconds=120)
    finally:
        replicas(kube, wanted)
    # Each gateway finds out by itself that the shop is back, and a new connection meets any of them.
    back = ["200 frankfurt"] * 8
    wait_until(lambda: [served_by().strip() for _ in back] == back, what="readers to come back", seconds=120)


@pytest.mark.requirement("http and the bare domain lead to the shop")
@pytest.mark.parametrize(
    "typed", ["http://www.shopsphere.test/", "http://shopsphere.test/", "https://shopsphere.test/"]
)
def test_typed_addresses_lead_to_the_shop(lab: Lab, at: At, typed: str) -> None:
    words = ["curl", "-sS", "-L", "-m", "10", "-o", "/dev/null", "-w", "%{json}", typed]
    wanted = (200, f"{SHOP}/", "2")

    def leads_there() -> bool:
        told = json.loads(at(CLIENT, *words).stdout)
        return (told["http_code"], told["url_effective"], told["http_version"]) == wanted

    wait_until(leads_there, what=f"{typed} to lead to {wanted}", seconds=30)
