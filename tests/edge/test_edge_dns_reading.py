"""Where readers are led while a site, or only the shop in it, is dead."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from edge_dig import ask

from shopsphere.estate.site_health import SERVING_PATH, SERVING_PORT
from shopsphere.foundation.clock import wait_until

FRANKFURT, DUBLIN = "10.99.0.11", "10.99.0.12"

pytestmark = pytest.mark.usefixtures("zone")


class Site:
    """The plain entry of a site's gateway: says whether the shop behind it is ready."""

    def __init__(self, address: str) -> None:
        site = self
        self.serving = True
        self.asked: set[tuple[str, str]] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.add((self.headers["Host"], self.path))
                self.send_response(200 if site.serving else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, SERVING_PORT), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def lead_to(address: str, what: str) -> None:
    names = ("www.shopsphere.test", "rdc-a.shopsphere.test", "shopsphere.test")
    wait_until(
        lambda: all(ask(name, client="10.99.64.10").addresses == [address] for name in names), what=what, seconds=90
    )


@pytest.mark.requirement("browsing goes on: while the active site cannot be reached, names lead to the other one")
def test_reading_while_the_active_site_is_away() -> None:
    lead_to(FRANKFURT, "the active site, with nobody up")
    with closing_site(DUBLIN) as dublin:
        lead_to(DUBLIN, "the site that is up")
        with closing_site(FRANKFURT):
            lead_to(FRANKFURT, "the active site again")
    lead_to(FRANKFURT, "the active site, with nobody up")
    assert {path for _, path in dublin.asked} == {SERVING_PATH}
    assert {host.removesuffix(":80") for host, _ in dublin.asked} == {"www.shopsphere.test"}


@pytest.mark.requirement("readers are led away from a site that takes connections and whose shop is dead")
def test_reading_while_the_active_shop_is_dead() -> None:
    with closing_site(DUBLIN) as dublin, closing_site(FRANKFURT) as frankfurt:
        lead_to(FRANKFURT, "the active site")
        frankfurt.serving = False
        lead_to(DUBLIN, "the site whose shop lives")
        dublin.serving = False
        lead_to(FRANKFURT, "the active site, where no shop lives")
        frankfurt.serving = True
        lead_to(FRANKFURT, "the active site, whose shop is back")


@contextmanager
def closing_site(address: str) -> Iterator[Site]:
    site = Site(address)
    try:
        yield site
    finally:
        site.stop()
