"""Headquarters' pages against who wants in, and against who makes the database slow."""

from __future__ import annotations

import csv
import io
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from postgres_cluster import Cluster
from report_world import LOGIN, NAME, REGIONS, headquarters
from shop_processes import Process

from app.catalogue.seed.products import categories, products
from app.customers.passwords import hash_password
from app.reporting.files import NAMES

pytestmark = pytest.mark.requirement("headquarters' pages show what was released, say what is missing, and name nobody")

ORIGIN = "https://reports.example"
PASSWORD = "a password of these tests"
WEEK = "last=2026-10-08&days=7"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell for a formula by."""


@pytest.fixture(scope="module")
def reports(cluster: Cluster) -> Iterator[Cluster]:
    with headquarters(cluster):
        yield cluster


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("staff") / "staff"
    stored = hash_password(PASSWORD)
    file.write_text(f"ada:{stored}\nbob:{stored}\n")
    return file


def started(reports: Cluster, staff: Path) -> Process:
    return Process(
        "report",
        {
            "REPORT_DSN": reports.service_dsn(NAME, LOGIN),
            "REPORT_SECRET": "another-secret-of-the-tests-that-is-long",
            "REPORT_STAFF_FILE": str(staff),
            "REPORT_REGIONS": REGIONS,
            "REPORT_PUBLIC_URL": ORIGIN,
        },
    )


@pytest.fixture(scope="module")
def running(reports: Cluster, staff: Path) -> Iterator[Process]:
    process = started(reports, staff)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def cookie(running: Process) -> str:
    return signed_in(running, "ada")


def signed_in(running: Process, name: str) -> str:
    answer = httpx.post(
        f"{running.url}/sign-in",
        data={"name": name, "password": PASSWORD},
        headers={"origin": ORIGIN},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["set-cookie"].partition(";")[0]


def ask(running: Process, path: str, cookie: str = "", method: str = "GET", **headers: str) -> httpx.Response:
    sent = {**headers, **({"cookie": cookie} if cookie else {})}
    return httpx.request(method, f"{running.url}{path}", headers=sent, trust_env=False, timeout=60)


def raw(running: Process, head: str) -> tuple[int, str]:
    """Send a head as it is, which no client library would; return status and the whole answer."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as line:
        line.sendall(head.encode("latin-1"))
        answer = b""
        while part := line.recv(65536):
            answer += part
    text = answer.decode(errors="replace")
    return int(text.split(" ", 2)[1]), text


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: x/sign-in?\r\n",
        "GET / HTTP/1.1\r\nHost: x/sign-in#\r\n",
        "GET http://x/livez/../ HTTP/1.1\r\nHost: x\r\n",
        "GET /sign-in/../budget HTTP/1.1\r\nHost: x\r\n",
        "GET /sign-in/%2e%2e/budget HTTP/1.1\r\nHost: x\r\n",
        "GET /sign-in%2f..%2fbudget HTTP/1.1\r\nHost: x\r\n",
        "GET /budget%3f/sign-in HTTP/1.1\r\nHost: x\r\n",
        "GET /livez;/../budget HTTP/1.1\r\nHost: x\r\n",
        "GET //budget HTTP/1.1\r\nHost: x\r\n",
        "GET //download//money.csv HTTP/1.1\r\nHost: x\r\n",
        "GET /budget/ HTTP/1.1\r\nHost: x\r\n",
        "GET /budget HTTP/1.1\r\nHost: x\r\nX-Forwarded-Prefix: /sign-in\r\nX-Original-URL: /sign-in\r\n",
        "HEAD /budget HTTP/1.1\r\nHost: x\r\n",
        "HEAD /download/money.csv HTTP/1.1\r\nHost: x\r\n",
        "OPTIONS /budget HTTP/1.1\r\nHost: x\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n",
        "TRACE /budget HTTP/1.1\r\nHost: x\r\n",
        f"OPTIONS /budget HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\n",
        f"PUT /download/money.csv HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\n",
        f"POST /sign-out HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\nContent-Length: 0\r\n",
        f"POST /budget HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\nContent-Length: 0\r\n",
    ],
)
def test_no_way_of_writing_an_address_leads_past_the_form(head: str, running: Process) -> None:
    status, text = raw(running, f"{head}Connection: close\r\n\r\n")
    assert status in {303, 400, 403, 404, 405}, text
    assert "rdc-" not in text
    assert "csv" not in text
    assert "set-cookie" not in text.lower()


@pytest.mark.parametrize(
    "query",
    [
        "last=2026-10-08%0d%0aset-cookie:%20a=b&days=7",
        "last=2026-10-08%22;filename=x&days=7",
        "last=%00&days=7",
        "last=%ff%fe&days=7",
        "last=2026-W41-4&days=7",
        "last=20261008&days=7",
        "last=%D9%A2%D9%A0%D9%A2%D9%A6-10-08&days=7",
        "last=0001-01-01&days=91",
        "last=9999-12-31&days=7",
        "last=2026-10-08&days=%2B7",
        "last=2026-10-08&days=7.0",
        "last=2026-10-08&days=-7",
        "last=2026-10-08&days=" + "9" * 1500,
        "last=2026-10-08%3Cscript%3E&days=7",
    ],
)
@pytest.mark.parametrize("path", ["/", "/download/money.csv"])
def test_odd_days_are_refused_with_a_page_that_holds_none_of_them(
    path: str, query: str, running: Process, cookie: str
) -> None:
    answer = ask(running, f"{path}?{query}", cookie)
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers
    assert "content-disposition" not in answer.headers
    assert "<script" not in answer.text


def test_what_is_too_long_or_too_much_is_no_failure(running: Process, cookie: str) -> None:
    many = "&".join(f"a{number}=1" for number in range(300))
    assert ask(running, f"/?{many}", cookie).status_code == 200, "without bounds that it can be read within, no field"
    assert ask(running, f"/?last={'9' * 3000}", cookie).status_code == 414
    assert ask(running, f"/download/{'a' * 1000}.csv", cookie).status_code == 414
    for name in ("..%2f..%2fetc%2fpasswd", "money.csv%00", "money.csv.csv", "MONEY.csv", "money.csv%0d%0aa:b", ".csv"):
        assert ask(running, f"/download/{name}", cookie).status_code == 404


def test_no_cell_of_a_file_is_a_formula(running: Process, cookie: str) -> None:
    for name in NAMES:
        for row in csv.reader(io.StringIO(ask(running, f"/download/{name}.csv?{WEEK}", cookie).text)):
            assert not [cell for cell in row if cell.startswith(FORMULA)], name
    named = (*(each.name for each in products()), *(each.title for each in categories()))
    assert not [name for name in named if name.startswith(FORMULA)]


def test_head_tells_what_get_does_without_a_body(running: Process, cookie: str) -> None:
    answer = ask(running, f"/download/money.csv?{WEEK}", cookie, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"] == 'attachment; filename="money-2026-10-02-2026-10-08.csv"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        "name=ada", "password=x", "", "name=%00&password=%00", "name=%ed%a0%80&password=x", "name=a&name=b&password=",
        "name=ada%0d%0aset-cookie:a=b&password=x", "name=%3Cscript%3E&password=x", "name=__class__&password=x",
        "&".join(f"a{number}=1" for number in range(200)),
    ],
)  # fmt: skip
def test_an_odd_form_signs_nobody_in_and_fails_nowhere(body: str, running: Process) -> None:
    sent = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{running.url}/sign-in", content=body, headers=sent, trust_env=False, timeout=30)
    assert answer.status_code in {400, 401, 429}, answer.text
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text


@pytest.mark.parametrize("sent", [f"{ORIGIN}, {ORIGIN}", f"{ORIGIN}/", f"{ORIGIN}:443", "HTTPS://REPORTS.EXAMPLE"])
def test_an_origin_that_is_only_alike_is_not_ours(sent: str, running: Process) -> None:
    assert ask(running, "/sign-in", "", "POST", origin=sent).status_code == 403


def test_a_database_that_waits_is_told_within_seconds_and_the_pages_come_back(
    reports: Cluster, running: Process, cookie: str
) -> None:
    with psycopg.connect(reports.dsn(NAME)) as holder:
        holder.execute("LOCK TABLE reporting.release, reporting.region IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answer = ask(running, f"/?{WEEK}", cookie)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert time.monotonic() - began < 20
        assert "reporting" not in answer.text
        assert ask(running, "/livez").status_code == 200
        holder.rollback()
    assert ask(running, f"/?{WEEK}", cookie).status_code == 200


def test_after_a_restart_who_has_left_the_staff_file_is_out(reports: Cluster, staff: Path) -> None:
    before = started(reports, staff)
    try:
        ada, bob = (signed_in(before, name) for name in ("ada", "bob"))
    finally:
        before.stop()
    without = staff.with_name("without")
    without.write_text("".join(line for line in staff.read_text().splitlines(True) if not line.startswith("bob")))
    after = started(reports, without)
    try:
        assert [ask(after, "/budget", each).status_code for each in (ada, bob)] == [200, 303]
    finally:
        after.stop()
