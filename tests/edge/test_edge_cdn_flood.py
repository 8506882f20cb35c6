"""Nobody can empty the CDN: what anybody can ask for never drives out what the shop's pages need."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from edge_cdn import HOST, Fetch, healthy
from edge_host import EdgeHost
from edge_http2 import http2
from edge_origin import Origin

from lab.edge.cache import BRIEF_MEGABYTES
from shopsphere.clients.cdn_agent import Cdn
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

WARM = [f"/media/warm-{number}-large.{number:012x}.svg" for number in range(20)]
LARGE = 20_000  # bytes of a large object, see the origin


@pytest.fixture
def warm(fetch: Fetch, frankfurt: Origin, dublin: Origin) -> Iterator[list[str]]:
    """Pictures that are in the cache, and origins as before afterwards."""
    frankfurt.immutable = dublin.immutable = True
    for path in WARM:
        fetch(path)
    yield WARM
    frankfurt.immutable = dublin.immutable = True
    frankfurt.status = dublin.status = 200
    frankfurt.unknown = dublin.unknown = set()


def all_stale_copies(fetch: Fetch, edge: EdgeHost, frankfurt: Origin, dublin: Origin, paths: list[str]) -> list[int]:
    frankfurt.stop()
    dublin.stop()
    try:
        healthy(edge, 0)
        return [fetch(path).status_code for path in paths]
    finally:
        frankfurt.start()
        dublin.start()
        healthy(edge, 2)


@pytest.mark.requirement("a query is no part of an object's name")
def test_queries_make_no_objects(fetch: Fetch, frankfurt: Origin, warm: list[str]) -> None:
    before = len(frankfurt.requests)
    answers = [fetch(f"{warm[0]}?v={number}") for number in range(50)]
    answers += [fetch(f"{warm[0]}{query}") for query in ("?", "?v=1.2-x", "?a=b&c=d", "?v=1?v=2")]
    assert {(answer.status_code, answer.headers["x-cache"]) for answer in answers} == {(200, "HIT")}
    assert len(frankfurt.requests) == before


@pytest.mark.requirement("stale copies answer when origins are cut, whatever was asked for before")
def test_a_flood_of_unknown_names_leaves_the_cache(
    fetch: Fetch, edge: EdgeHost, frankfurt: Origin, dublin: Origin, warm: list[str]
) -> None:
    frankfurt.immutable = dublin.immutable = False  # as an origin answers for a name that it does not vouch for
    for number in range(2 * BRIEF_MEGABYTES * 1_000_000 // LARGE // 4):
        fetch(f"/media/flood-large.{number:012x}.jpg")
    assert 0 < counters(edge)["SMA.brief.g_bytes"] <= BRIEF_MEGABYTES * 2**20
    frankfurt.immutable = dublin.immutable = True
    assert all_stale_copies(fetch, edge, frankfurt, dublin, warm) == [200] * len(warm)


@pytest.mark.requirement("what is not vouched for is kept briefly, and what is unknown more briefly still")
def test_unknown_names_are_404_and_forgotten(fetch: Fetch, frankfurt: Origin, dublin: Origin, warm: list[str]) -> None:
    path = "/static/unknown.0123456789ab.css"
    frankfurt.unknown = dublin.unknown = {path}
    assert fetch(path).status_code == 404
    frankfurt.unknown = dublin.unknown = set()
    wait_until(lambda: fetch(path).status_code == 200, what="a name that became known", seconds=60, interval=0.5)


@pytest.mark.requirement("while a release rolls out, an origin that knows a name answers for it")
def test_another_origin_is_asked_for_an_unknown_name(
    fetch: Fetch, frankfurt: Origin, dublin: Origin, warm: list[str]
) -> None:
    path = "/static/new.ba9876543210.css"
    frankfurt.unknown = {path}
    answer = fetch(path)
    assert (answer.status_code, answer.text) == (200, f"dublin {path}")


@pytest.mark.requirement("an answer to one request is never given to another unless it is the object or its absence")
@pytest.mark.parametrize("status", [400, 403, 405, 413, 414, 429, 431, 301, 302])
def test_refusals_are_not_kept(fetch: Fetch, frankfurt: Origin, dublin: Origin, warm: list[str], status: int) -> None:
    path = f"/static/refused-{status}.css"
    frankfurt.status = dublin.status = status
    assert fetch(path).status_code == status
    frankfurt.status = dublin.status = 200
    assert fetch(path).status_code == 200


@pytest.mark.requirement("a request that an origin would refuse for its size does not reach it")
def test_oversized_headers_stop_at_the_cdn(fetch: Fetch, frankfurt: Origin) -> None:
    before = len(frankfurt.requests)
    with suppress(httpx.HTTPError):  # the connection ends, with or without a status
        assert fetch("/static/oversized.css", **{"X-Long": "x" * 20_000}).status_code >= 400
    assert len(frankfurt.requests) == before
    assert fetch("/static/oversized.css").status_code == 200


@pytest.mark.requirement("style sheets, scripts and pictures travel compressed")
@pytest.mark.parametrize("path", ["/media/long-large.svg", "/static/long-large.css"])
def test_text_is_compressed(fetch: Fetch, warm: list[str], path: str) -> None:
    fetch(path)
    packed, plain = fetch(path, **{"Accept-Encoding": "gzip"}), fetch(path, **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert int(packed.headers["content-length"]) < LARGE / 4
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


@pytest.mark.requirement("browsers speak HTTP/2 with the CDN")
def test_http2(edge: EdgeHost, fetch: Fetch, warm: list[str]) -> None:
    found = http2(edge.settings.cdn, edge.settings.tls_port, HOST, warm[:5])
    assert (found.versions, found.statuses, found.connections) == (["2"] * 5, [200] * 5, 1)


@pytest.mark.parametrize("host", [f"{HOST}.", f"{HOST}.:443", HOST.upper(), f"{HOST}:443", f"{HOST}:"])
def test_spellings_of_the_name(fetch: Fetch, warm: list[str], host: str) -> None:
    answer = fetch(warm[0], host=host)
    assert (answer.status_code, answer.headers["x-cache"]) == (200, "HIT")


@pytest.mark.parametrize("host", ["[2001:db8::1]", "[2001:db8::1]:443", "::1", ".", f"x.{HOST}", f"{HOST}.."])
def test_other_names(fetch: Fetch, warm: list[str], host: str) -> None:
    assert fetch(warm[0], host=host).status_code in {400, 404}


@pytest.mark.requirement("the CDN can show itself as the name of static assets alone")
def test_the_certificate_is_for_static_alone(edge: EdgeHost, fetch: Fetch) -> None:
    trust = ssl.create_default_context(cafile=edge.ca)
    with (
        socket.create_connection((edge.settings.cdn, edge.settings.tls_port)) as plain,
        trust.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        assert (tls.getpeercert() or {}).get("subjectAltName") == (("DNS", HOST),)
    with (
        socket.create_connection((edge.settings.cdn, edge.settings.tls_port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        trust.wrap_socket(plain, server_hostname="www.shopsphere.test")


@pytest.mark.requirement(
    "idle connections do not shut the configuration API off for good, and cost it a bounded number"
)
def test_the_api_has_a_bound(edge: EdgeHost, cdn: Cdn, fetch: Fetch) -> None:
    address = (edge.settings.cdn, edge.settings.cdn_api_port)
    held, ended = [], 0
    try:
        for _ in range(64):
            try:
                held.append(socket.create_connection(address, timeout=20))
            except ConnectionError:  # refused before we know that it is open
                ended += 1
        wait_until(
            lambda: ended + sum(map(is_ended, held)) >= 30,
            what="the end of half of them: the door has 32 places for an address", seconds=30, interval=0.05,
        )  # fmt: skip
    finally:
        for connection in held:
            connection.close()

    def is_free() -> bool:
        with suppress(EdgeError):
            return cdn.get("static") is not None
        return False

    wait_until(is_free, what="the places to be free again", seconds=60, interval=0.1)


def is_ended(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False  # it has a place
    except ConnectionError:
        return True


def counters(edge: EdgeHost) -> dict[str, int]:
    lines = run(["varnishstat", "-n", edge.settings.varnish_directory, "-1", "-f", "SMA.*"]).stdout.splitlines()
    return {words[0]: int(words[1]) for words in map(str.split, lines) if words}
