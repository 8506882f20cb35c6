"""Questions of bench/attacks at a real gateway: what is sent away is told apart from what fails or is let in."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from edge_gateway import ADDRESS, SHOWN, Shop

from components.gateway_configuration import CDN_PORT, HTTP_PORT, HTTPS_PORT
from shopsphere.clients.edge_identity import DEPLOYER, PULLER
from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
import knocking
from attempt import CLOSED, DESK, PORT, SILENT, STATUS, TLS, Question, attempt, get, tcp
from refusing import Verdict, judge

ASSET, NAME = "/static/shop.css", "www.shopsphere.test"


def asked(path: str, who: str = "", port: int = CDN_PORT) -> Question:
    shown = [str(SHOWN[who].certificate), str(SHOWN[who].key)] if who else []
    return get(f"https://{NAME}:{port}{path}", at=ADDRESS, headers={"Host": NAME}, certificate=shown)


def outcome(question: Question, *by: str, **more: Any) -> Verdict:
    tried = attempt("C6", "try", DESK, [question], *by, alone="a test", **more)
    return judge(tried, [knocking.answer(question)], None, []).verdict


@pytest.mark.parametrize(
    ("path", "who", "by", "expected"),
    [
        (ASSET, "", (TLS, CLOSED), Verdict.REFUSED),
        (ASSET, "forged", (TLS, CLOSED), Verdict.REFUSED),
        (ASSET, DEPLOYER, (STATUS,), Verdict.REFUSED),
        ("/cart", PULLER, (STATUS,), Verdict.REFUSED),
        ("/static/../cart", PULLER, (STATUS,), Verdict.REFUSED),
        # The CDN itself is let in: a judge that cannot say so says nothing.
        (ASSET, PULLER, (TLS, CLOSED, STATUS), Verdict.LET_IN),
        # A status where a closed line is expected, and the other way round.
        (ASSET, DEPLOYER, (TLS, CLOSED), Verdict.UNPROVEN),
        (ASSET, "", (STATUS, PORT, SILENT), Verdict.UNPROVEN),
    ],
)
@pytest.mark.usefixtures("shop", "gateway")
def test_the_entry_for_the_cdn(path: str, who: str, by: tuple[str, ...], expected: Verdict) -> None:
    assert outcome(asked(path, who), *by) is expected


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_session_is_taken_on(shop: Shop, gateway: subprocess.Popen[bytes], version: str) -> None:
    taken = {"resume": [ADDRESS, HTTPS_PORT, CDN_PORT], "name": NAME, "path": ASSET, "version": version}
    answer = knocking.answer(taken)
    assert answer["text"].startswith("session resumed: HTTP/1.1 403"), "else this tries another thing"
    assert outcome(taken, STATUS) is Verdict.REFUSED


def test_other_entries(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    host = {"headers": {"Host": "static.shopsphere.test"}}
    assert outcome(get(f"http://{ADDRESS}:{HTTP_PORT}{ASSET}", **host), STATUS, statuses=(403,)) is Verdict.REFUSED
    assert outcome(asked(ASSET, port=HTTPS_PORT), STATUS, statuses=(404,)) is Verdict.REFUSED
    assert outcome(asked("/", port=HTTPS_PORT), STATUS, statuses=(404,)) is Verdict.LET_IN
    clear = get(f"http://{ADDRESS}:{CDN_PORT}{ASSET}")
    assert outcome(clear, CLOSED, STATUS, statuses=(400,)) is Verdict.REFUSED


def test_a_port_without_a_program_is_closed_and_no_log_says_so(network: None) -> None:
    assert knocking.answer(tcp(ADDRESS, 9))["kind"] == "refused"
    assert outcome(tcp(ADDRESS, 9), PORT) is Verdict.UNPROVEN


def test_a_scan_finds_what_listens(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    found = knocking.answer({"scan": [ADDRESS, [9, 10, HTTPS_PORT]]})
    assert (found["open"], found["silent"], len(found["ports"])) == ([HTTPS_PORT], [], 2)


def test_connections_are_held_and_counted(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    found = knocking.answer({"slow": [ADDRESS, HTTPS_PORT], "connections": 100, "seconds": 3})
    assert found["open"] <= 30, "as many as the gateway lets one source have"
    assert found["kind"] == "held"
