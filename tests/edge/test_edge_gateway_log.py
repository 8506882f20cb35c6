"""What a gateway writes down: who was refused at a door that is not theirs, and nothing of anybody else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from edge_gateway import ADDRESS, Shop, answer_of

from components.gateway_configuration import CDN_PORT, HEALTH_PORT, HTTP_PORT, HTTPS_PORT
from shopsphere.clients.edge_identity import DEPLOYER, PULLER
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.foundation.clock import wait_until

MOST = 60
"""Lines of a source in a minute."""
Lines = Callable[[], list[str]]


@pytest.fixture
def lines(shop: Shop, agent: Shop, configuration: Path, tmp_path: Path) -> Iterator[Lines]:
    """Return what a gateway has written since it listens."""
    log = tmp_path / "log"
    with log.open("w") as written:
        process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(configuration)], stdout=written)
    try:
        wait_until(
            lambda: answer_of(HEALTH_PORT, "/livez").status == 200, what="HAProxy to listen", seconds=60, interval=0.1
        )
        yield lambda: [line for line in log.read_text().splitlines() if "refused " in line]
    finally:
        process.kill()
        process.wait(10)


def one(lines: Lines, *texts: str) -> None:
    wait_until(lambda: any(all(each in line for each in texts) for line in lines()), what=str(texts), seconds=5)


@pytest.mark.requirement("a refused attempt is seen in a log")
def test_refusals_are_written_down_with_their_source(lines: Lines) -> None:
    source = f"from={ADDRESS} "
    assert answer_of(HTTPS_PORT, "/metrics?x=secret").status == 404
    one(lines, source, "entry=https ", "status=404", '"/metrics"')
    assert answer_of(HTTPS_PORT, "/v1/payments", "POST", {"Content-Length": "1"}, b"x").status == 404
    one(lines, source, "POST", '"/v1/payments"')
    assert answer_of(HTTPS_PORT, "/static/shop.css").status == 404
    one(lines, source, "entry=https", '"/static/shop.css"')
    assert answer_of(HTTP_PORT, "/static/shop.css", headers={"Host": ADDRESS}).status == 403
    one(lines, source, "entry=http ", "status=403")
    assert answer_of(CDN_PORT, "/static/a.css", who=DEPLOYER).status == 403
    one(lines, source, "entry=cdn", "status=403", '"/static/a.css"')
    assert answer_of(CDN_PORT, "/cart", who=PULLER).status == 403
    one(lines, source, "entry=cdn", '"/cart"')
    assert not any("secret" in line for line in lines()), "what else somebody says is not written down"


@pytest.mark.requirement("a refused attempt is seen in a log")
@pytest.mark.parametrize("who", ["", "forged"])
def test_a_handshake_that_fails_is_written_down(lines: Lines, who: str) -> None:
    assert answer_of(CDN_PORT, "/static/a.css", who=who).status == 0
    one(lines, f"from={ADDRESS}", "entry=cdn: ")
    assert "SSL" in lines()[0]


def test_nobody_else_is_written_down(lines: Lines, shop: Shop) -> None:
    assert answer_of(HTTPS_PORT, "/").status == 200
    assert answer_of(HTTPS_PORT, "/cart").status == 200
    assert answer_of(HTTP_PORT, "/", headers={"Host": "www.shopsphere.test"}).status == 301
    assert answer_of(CDN_PORT, "/static/a.css").status == 200
    shop.ready = 503
    wait_until(lambda: answer_of(CDN_PORT, SERVING_PATH).status == 503, what="not ready", seconds=20, interval=0.2)
    assert lines() == []


def test_one_source_has_a_bound(lines: Lines) -> None:
    for _ in range(MOST + 20):
        answer_of(HTTP_PORT, "/x", headers={"Host": ADDRESS})
    wait_until(lambda: len(lines()) >= MOST, what="the lines", seconds=5)
    assert len(lines()) <= MOST + 1
