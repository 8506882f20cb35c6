"""What a watcher sees of the active site: dead, fenced and full databases, and a shop that is down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import httpx
import pytest
from ready_pair import HOME, ReadyPair, Site

from runbooks.service import look_at_service
from runbooks.watch import Sign, judge
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.clients.postgres import FENCE
from shopsphere.clients.web import Door, PageError
from shopsphere.foundation.finding import Finding, Verdict

pytestmark = pytest.mark.requirement("watch sees dead, fenced and full databases and a dead shop")


class ShopDoor:
    """In place of the shop's entry; `status` is what it answers, None for no connection."""

    def __init__(self) -> None:
        self.page_status: int | None = 200
        self.form_status = 422
        self.asked: list[str] = []

    def at(self, address: str, *, seconds: float) -> Door:
        assert seconds > 0
        self.asked.append(address)
        return cast("Door", self)

    def page(self, _path: str = "/") -> int:
        if self.page_status is None:
            raise PageError("no connection")
        return self.page_status

    def ask(self, method: str, _path: str) -> httpx.Response:
        assert method == "POST"
        return httpx.Response(self.form_status)


@pytest.fixture
def door() -> ShopDoor:
    return ShopDoor()


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, door: ShopDoor) -> ReadyPair:
    ready = ReadyPair(monkeypatch, tmp_path)
    monkeypatch.setattr(ready.access, "door", door.at)
    return ready


def look(pair: ReadyPair) -> tuple[Finding, Sign]:
    """What is found, and what a watcher makes of it while the lease is held."""
    found = look_at_service(pair.access)
    return found, judge(pair.seen, locked=False, without=0.0, service=found)


def test_a_site_that_serves_is_well(pair: ReadyPair, door: ShopDoor) -> None:
    found, sign = look(pair)
    assert (found.verdict, sign) == (Verdict.PASSED, Sign.WELL), found.found
    assert door.asked == [str(pair.access.topology.site(HOME).faces_customers_at)]


def fence(site: Site) -> None:
    site.clusters["ledger"]["metadata"]["annotations"] = {FENCE: '["*"]'}


def fill(site: Site) -> None:
    site.disk = "   Used  Avail\n    40     60\n   100      0\n"


def follow(site: Site) -> None:
    site.instances["commerce"]["in_recovery"] = True


@pytest.mark.parametrize(
    ("harm", "told"),
    [(fence, "ledger-frankfurt is fenced"), (fill, "100% full"), (follow, "commerce-frankfurt takes no writes")],
    ids=["fenced", "full", "follows"],
)
def test_a_database_that_does_not_serve_is_seen(pair: ReadyPair, harm: Callable[[Site], None], told: str) -> None:
    harm(pair.sites[HOME])
    found, sign = look(pair)
    assert (found.verdict, sign) == (Verdict.FAILED, Sign.ILL)
    assert told in found.found
    assert found.action


def test_a_fenced_database_is_seen_though_its_instance_does_not_answer(
    pair: ReadyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = pair.sites[HOME]
    fence(site)
    answer = site.execute

    def execute(namespace: str, *words: object, **bounds: float) -> str:
        if namespace == "data-ledger":
            raise ClusterUnreachableError("its PostgreSQL was stopped")
        return cast("Callable[..., str]", answer)(namespace, *words, **bounds)

    monkeypatch.setattr(site, "execute", execute)
    found, sign = look(pair)
    assert sign is Sign.ILL
    assert "ledger-frankfurt is fenced" in found.found


def test_a_database_that_does_not_answer_is_not_known(pair: ReadyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_words: object, **_bounds: float) -> str:
        raise ClusterUnreachableError("the pod is gone")

    monkeypatch.setattr(pair.sites[HOME], "execute", silent)
    found, sign = look(pair)
    assert (found.verdict, sign) == (Verdict.UNKNOWN, Sign.HELD)
    assert "the pod is gone" in found.found


@pytest.mark.parametrize(
    ("page", "form", "told"), [(None, 422, "does not answer"), (200, 503, "takes no orders")], ids=["dead", "shut"]
)
def test_a_shop_that_does_not_serve_is_seen(
    pair: ReadyPair, door: ShopDoor, page: int | None, form: int, told: str
) -> None:
    door.page_status, door.form_status = page, form
    found, sign = look(pair)
    assert (found.verdict, sign) == (Verdict.FAILED, Sign.ILL)
    assert f"the shop at {HOME} {told}" in found.found
