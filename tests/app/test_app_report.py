"""Headquarters' pages on a real database: figures, what is withheld and what is not here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import httpx
import psycopg
import pytest
from export_databases import with_database
from postgres_cluster import Cluster
from report_world import FIRST, FOURTH, LOGIN, NAME, REGIONS, SECOND, headquarters
from shop_processes import Process

from app.customers.passwords import hash_password
from app.reporting.reading import ROLE, Reading, Spent, read, spent
from app.reporting.span import Span

pytestmark = pytest.mark.requirement("headquarters' pages show what was released, say what is missing, and name nobody")

DAYS = Span(FIRST, date(2026, 10, 9))
WEEK = "?last=2026-10-08&days=7"
PASSWORD = "a password of the tests"
SECRET = "a-secret-of-the-tests-that-is-long-enough"
OPEN = ("/livez", "/readyz", "/metrics", "/sign-in")


@pytest.fixture(scope="module")
def reports(cluster: Cluster) -> Iterator[Cluster]:
    with headquarters(cluster):
        yield cluster


@pytest.fixture(scope="module")
def reading(reports: Cluster) -> Reading:
    return with_database(reports.service_dsn(NAME, LOGIN), lambda each: read(each, DAYS), ROLE)


def test_money_is_the_sum_of_all_versions_of_days_that_are_here_whole(reading: Reading) -> None:
    assert [tuple(map(str, each[:4])) + each[4:] for each in reading.money] == [
        ("1", "2026-10-05", "EUR", "orders", 60),
        ("1", "2026-10-05", "EUR", "revenue", 814_000),
        ("1", "2026-10-05", "EUR", "refunds", None),
        ("1", "2026-10-06", "EUR", "orders", 25),
        ("1", "2026-10-06", "EUR", "revenue", 150_050),
        ("1", "2026-10-06", "EUR", "refunds", 5_000),
        ("1", "2026-10-07", "EUR", "orders", 50),
        ("1", "2026-10-07", "EUR", "revenue", 900_000),
        ("2", "2026-10-05", "CHF", "orders", 33),
        ("2", "2026-10-05", "CHF", "revenue", 330_000),
        ("2", "2026-10-05", "EUR", "orders", None),
        ("2", "2026-10-05", "EUR", "revenue", None),
    ]


def test_visitors_are_people_of_days_that_are_here_whole(reading: Reading) -> None:
    assert [(each.region, each.day, each.step.value, each.value) for each in reading.visitors] == [
        (1, FIRST, "visit", 1000),
        (1, FIRST, "view", 700),
        (1, FIRST, "add", 200),
        (1, FIRST, "checkout", 90),
        (1, FIRST, "buy", None),
        (1, SECOND, "visit", None),
        (2, FIRST, "visit", 660),
    ]


def test_categories_and_products_are_added_up_over_the_days_on_which_they_are_said(reading: Reading) -> None:
    assert [(each.category, each.metric.value, each.value, each.days) for each in reading.sold] == [
        (1, "orders", 50, 1),
        (1, "revenue", 514_000, 1),
        (13, "orders", 25, 1),
        (13, "revenue", 150_050, 1),
    ]
    assert [(each.number, each.metric.value, each.value, each.days) for each in reading.products] == [
        (1, "view", 400, 2),
        (1, "add", 60, 1),
        (2, "view", 120, 1),
        (3, "view", None, 0),
    ]
    assert [(each.number, each.metric.value, each.value, each.days) for each in reading.categories] == [
        (1, "view", 450, 1)
    ]


def test_what_has_arrived_is_told_by_parts(reading: Reading) -> None:
    assert [(each.region, each.kind.value, each.day.day, each.here, each.parts) for each in reading.arrived] == [
        (1, "behaviour", 5, 2, 2),
        (1, "behaviour", 6, 1, 1),
        (1, "behaviour", 7, 1, 2),
        (1, "money", 5, 1, 1),
        (1, "money", 6, 1, 1),
        (1, "money", 7, 1, 1),
        (2, "behaviour", 5, 1, 1),
        (2, "money", 5, 1, 1),
    ]
    assert [(each.region, each.last_seq, each.heard_at is not None) for each in reading.regions] == [
        (1, 8, True),
        (2, 3, True),
    ]


def test_a_day_is_spent_with_the_first_part_that_is_here(reports: Cluster) -> None:
    found = with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, FOURTH), ROLE)
    assert found == (Spent(1, date(2026, 10, 1), 3), Spent(2, date(2026, 10, 1), 1))
    assert [each.rho_micro for each in found] == [150_000, 50_000]
    year_on = with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, date(2027, 10, 31)), ROLE)
    assert year_on == found
    assert with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, date(2027, 11, 1)), ROLE) == ()


@pytest.mark.parametrize("column", ["body", "signature", "digest"])
def test_the_login_reads_no_more_than_the_pages_need(column: str, reports: Cluster) -> None:
    with (
        psycopg.connect(reports.service_dsn(NAME, LOGIN)) as service,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        service.execute(f"SELECT {column} FROM reporting.release")


@pytest.fixture(scope="module")
def running(reports: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    staff = tmp_path_factory.mktemp("staff") / "staff"
    stored = hash_password(PASSWORD)
    staff.write_text(f"# of the tests\nada:{stored}\nbob:{stored}\ncay:{stored}\n")
    process = started(reports, staff)
    yield process
    process.stop()


def started(reports: Cluster, staff: Path) -> Process:
    return Process(
        "report",
        {
            "REPORT_DSN": reports.service_dsn(NAME, LOGIN),
            "REPORT_SECRET": SECRET,
            "REPORT_STAFF_FILE": str(staff),
            "REPORT_REGIONS": REGIONS,
            "REPORT_PUBLIC_URL": "https://report.example",
        },
    )


def signing_in(running: Process, name: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    sent = {"origin": "https://report.example", **headers}
    return httpx.post(
        f"{running.url}/sign-in", data={"name": name, "password": password}, headers=sent, trust_env=False
    )


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


@pytest.fixture(scope="module")
def cookie(running: Process) -> str:
    answer = signing_in(running, "ada")
    assert answer.status_code == 303, answer.text
    return cookie_of(answer)


def page(running: Process, path: str, cookie: str = "") -> httpx.Response:
    return httpx.get(f"{running.url}{path}", headers={"cookie": cookie} if cookie else {}, trust_env=False)


def table(html: str, caption: str) -> list[list[str]]:
    """The words of a table's rows, as a browser shows them."""
    (found,) = re.findall(rf"<caption>{re.escape(caption)}</caption>(.*?)</table>", html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.DOTALL)
    return [[unescape(re.sub(r"<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_a_page_has_each_day_of_each_region(running: Process, cookie: str) -> None:
    html = page(running, f"/{WEEK}", cookie).text
    head, *days = table(html, "rdc-a, day by day")
    assert head == ["Day", "Revenue, EUR", "Orders, EUR", "Refunds, EUR", "Visitors", "Conversion", "Here"]
    nothing = ["not here"] * 5
    assert days == [
        ["2026-10-02", *nothing, "money not here; visitors not here"],
        ["2026-10-03", *nothing, "money not here; visitors not here"],
        ["2026-10-04", *nothing, "money not here; visitors not here"],
        ["2026-10-05", "8,140.00", "60", "small", "1,000", "6.00 %", "money whole; visitors whole"],
        ["2026-10-06", "1,500.50", "25", "50.00", "small", "small", "money whole; visitors whole"],
        ["2026-10-07", "9,000.00", "50", "\N{EN DASH}", "incomplete", "incomplete",
         "money whole; visitors 1 of 2 parts"],
        ["2026-10-08", *nothing, "money not here; visitors not here"],
    ]  # fmt: skip
    head, *days = table(html, "rdc-b, day by day")
    assert head[1:4] == ["Revenue, CHF", "Orders, CHF", "Refunds, CHF"]
    assert days[3] == ["2026-10-05", "3,300.00", "33", "\N{EN DASH}", "small", "small", "\N{EN DASH}", "660", "small",
                       "money whole; visitors whole"]  # fmt: skip


def test_sums_say_of_how_many_days_they_are(running: Process, cookie: str) -> None:
    html = page(running, f"/{WEEK}", cookie).text
    _, *rows = table(html, "All regions; a sum says of how many days it is")
    dash = "\N{EN DASH}"
    assert [row[:-1] for row in rows] == [
        ["rdc-a", "EUR", "18,640.50 (3 of 7 days)", "135 (3 of 7 days)", "50.00 (1 of 7 days)", "1,000 (1 of 7 days)",
         "6.00 % (1 of 7 days)", "2 of 7"],
        ["rdc-b", "CHF", "3,300.00 (1 of 7 days)", "33 (1 of 7 days)", dash, "660 (1 of 7 days)", dash, "1 of 7"],
        ["rdc-b", "EUR", "small", "small", dash, "660 (1 of 7 days)", dash, "1 of 7"],
        ["rdc-c", dash, dash, dash, dash, dash, dash, "0 of 7"],
    ]  # fmt: skip
    assert rows[3][-1] == "never"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", rows[0][-1])


def test_rankings_and_steps(running: Process, cookie: str) -> None:
    html = page(running, f"/{WEEK}", cookie).text
    assert table(html, "Categories by revenue, EUR, rdc-a")[1:] == [
        ["T-shirts", "5,140.00", "50", "\N{EN DASH}", "1"],
        ["Watches", "1,500.50", "25", "\N{EN DASH}", "1"],
    ]
    assert table(html, "Products by visitors, rdc-a")[1:] == [
        ["Tidal Rings Tee", "400", "60", "\N{EN DASH}", "2"],
        ["Night Ferry Tee", "120", "\N{EN DASH}", "\N{EN DASH}", "1"],
    ]
    assert table(html, "Visitors by step, rdc-a")[1:] == [
        ["Visited", "1,000", "1"],
        ["Searched", "\N{EN DASH}", "0"],
        ["Looked at a category", "\N{EN DASH}", "0"],
        ["Looked at a product", "700", "1"],
        ["Put into the cart", "200", "1"],
        ["Took out of the cart", "\N{EN DASH}", "0"],
        ["Went to the checkout", "90", "1"],
        ["Bought", "small", "0"],
    ]


def test_what_is_here_is_told_by_day(running: Process, cookie: str) -> None:
    head, *rows = table(page(running, f"/{WEEK}", cookie).text, "What is here of each day")
    assert head == ["Day", *(f"rdc-{each}, {kind}" for each in "abc" for kind in ("money", "visitors"))]
    away = "not here"
    assert rows[:4] == [
        ["2026-10-08", away, away, away, away, away, away],
        ["2026-10-07", "whole", "1 of 2 parts", away, away, away, away],
        ["2026-10-06", "whole", "whole", away, away, away, away],
        ["2026-10-05", "whole", "whole", "whole", "whole", away, away],
    ]


def test_budget_is_told_by_region_and_month(running: Process, cookie: str) -> None:
    html = page(running, f"/budget{WEEK}", cookie).text
    assert table(html, "Spent of the visitors' privacy".replace("'", "&#39;"))[1:] == [
        ["rdc-a", "2026-10", "3", "0.15", "10 %", "3.26"],
        ["rdc-b", "2026-10", "1", "0.05", "3 %", "1.85"],
    ]
    assert "costs rho 0.05; a month of a region stops at 1.55" in html


def test_a_page_runs_nothing_and_loads_nothing(running: Process, cookie: str) -> None:
    for path in (f"/{WEEK}", "/budget", "/sign-in"):
        answer = page(running, path, cookie)
        assert answer.status_code == 200
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script|<img|<iframe|\son[a-z]+=|\sstyle=|https?://|//[a-z]", answer.text)
    pictures = re.findall(r"<svg .*?</svg>", page(running, f"/{WEEK}", cookie).text, re.DOTALL)
    of_days, of_steps_and_views, of_sales = 3 + 4 + 2, 3 * 3, 1
    assert len(pictures) == of_days + of_steps_and_views + of_sales
    for each in pictures:
        assert '<svg class="chart" viewBox="0 0 360 ' in each
        names = re.search(r'aria-labelledby="(\S+) (\S+)"', each)
        assert names is not None
        assert f'<title id="{names[1]}">' in each
        assert f'<desc id="{names[2]}">' in each


@pytest.mark.parametrize("query", ["?days=8", "?last=never", "?last=1999-01-01", "?days=7&last=2026-02-30"])
def test_days_that_no_page_has_are_refused(query: str, running: Process, cookie: str) -> None:
    answer = page(running, f"/{query}", cookie)
    assert answer.status_code == 400
    assert "There is no page of these days" in answer.text


def rows_of(running: Process, cookie: str, name: str) -> list[list[str]]:
    answer = page(running, f"/download/{name}.csv{WEEK}", cookie)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    saved_as = f'attachment; filename="{name}-2026-10-02-2026-10-08.csv"'
    assert answer.headers["content-disposition"] == saved_as
    return list(csv.reader(io.StringIO(answer.text, newline="")))


def test_files_have_each_figure_or_why_there_is_none(running: Process, cookie: str) -> None:
    head, *money = rows_of(running, cookie, "money")
    assert head == ["region", "day", "currency", "metric", "minor_units_or_orders", "state"]
    assert money[3:10] == [
        ["rdc-a", "2026-10-05", "EUR", "orders", "60", "published"],
        ["rdc-a", "2026-10-05", "EUR", "revenue", "814000", "published"],
        ["rdc-a", "2026-10-05", "EUR", "refunds", "", "small"],
        ["rdc-a", "2026-10-06", "EUR", "orders", "25", "published"],
        ["rdc-a", "2026-10-06", "EUR", "revenue", "150050", "published"],
        ["rdc-a", "2026-10-06", "EUR", "refunds", "5000", "published"],
        ["rdc-a", "2026-10-07", "EUR", "orders", "50", "published"],
    ]
    assert money[12] == ["rdc-a", "2026-10-08", "", "", "", "missing"]
    assert ["rdc-a", "2026-10-07", "EUR", "refunds", "", "unsaid"] in money
    visitors = rows_of(running, cookie, "visitors")
    assert ["rdc-a", "2026-10-05", "checkout", "90", "published"] in visitors
    assert ["rdc-a", "2026-10-06", "visit", "", "small"] in visitors
    assert ["rdc-a", "2026-10-07", "", "", "incomplete"] in visitors
    conversion = [row for row in rows_of(running, cookie, "conversion") if row[-1] == "published"]
    assert conversion == [["rdc-a", "2026-10-05", "60", "1000", "6.0000", "published"]]
    assert rows_of(running, cookie, "category-sales")[1:] == [
        ["rdc-a", "EUR", "1", "T-shirts", "orders", "50", "published", "1"],
        ["rdc-a", "EUR", "1", "T-shirts", "revenue", "514000", "published", "1"],
        ["rdc-a", "EUR", "13", "Watches", "orders", "25", "published", "1"],
        ["rdc-a", "EUR", "13", "Watches", "revenue", "150050", "published", "1"],
    ]
    assert rows_of(running, cookie, "category-visitors")[1:] == [
        ["rdc-a", "1", "T-shirts", "view", "450", "published", "1"]
    ]
    assert rows_of(running, cookie, "product-visitors")[3:] == [
        ["rdc-a", "2", "Night Ferry Tee", "view", "120", "published", "1"],
        ["rdc-a", "3", "Olive Branch Tee", "view", "", "small", "0"],
    ]
    whole = [row[:6] for row in rows_of(running, cookie, "completeness") if row[1] == "2026-10-07"]
    assert whole[:3] == [
        ["rdc-a", "2026-10-07", "money", "1", "1", "whole"],
        ["rdc-a", "2026-10-07", "behaviour", "1", "2", "incomplete"],
        ["rdc-b", "2026-10-07", "money", "0", "", "missing"],
    ]
    assert rows_of(running, cookie, "budget")[1:] == [
        ["rdc-a", "2026-10", "3", "0.15", "3.2598"],
        ["rdc-b", "2026-10", "1", "0.05", "1.8454"],
    ]


def test_the_page_names_every_file_and_each_row_is_as_long_as_its_head(running: Process, cookie: str) -> None:
    html = page(running, f"/{WEEK}", cookie).text
    names = re.findall(r'href="/download/([a-z-]+)\.csv\?last=2026-10-08&amp;days=7"', html)
    assert len(names) == 8
    for name in names:
        head, *rows = rows_of(running, cookie, name)
        assert rows
        assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize("name", ["money", "money.txt", "releases.csv", "money.csv.csv", "..%2fmoney.csv"])
def test_there_is_no_other_file(name: str, running: Process, cookie: str) -> None:
    assert page(running, f"/download/{name}", cookie).status_code == 404


def test_no_column_that_is_read_could_hold_a_person(reports: Cluster) -> None:
    """What the login may select has no text, no bytes and no id: days, numbers, and words of fixed lists."""
    columns = reports.query(
        NAME,
        "SELECT table_name, column_name, data_type FROM information_schema.columns c WHERE table_schema = 'reporting' "
        "AND has_column_privilege(%s, format('reporting.%%I', table_name), column_name, 'SELECT')",
        LOGIN,
    )
    types = {"smallint", "integer", "bigint", "date", "timestamp with time zone", "USER-DEFINED"}
    assert len(columns) == 3 + 7 + 13
    assert [each for each in columns if each[2] not in types] == []
    words = reports.query(
        NAME,
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'reporting' "
        "AND data_type = 'USER-DEFINED' AND NOT EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype('reporting.' "
        "|| quote_ident(udt_name)))",
    )
    assert words == [(0,)]


@pytest.mark.parametrize("path", ["/", "/budget", "/download/money.csv", "/version", "/nothing", "/sign-in/x"])
def test_who_is_not_signed_in_gets_the_form_and_nothing_else(path: str, running: Process) -> None:
    for cookie in ("", "__Host-report=ada", "__Host-report=ada~1~99999999999~0", "__Host-report=~~~"):
        answer = page(running, path, cookie)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "rdc" not in answer.text


def test_probes_figures_and_the_form_are_open(running: Process) -> None:
    assert [page(running, path).status_code for path in OPEN] == [200] * 4
    assert "report_signed_in" in page(running, "/metrics").text


def test_the_cookie_is_for_this_host_this_site_and_eight_hours(running: Process) -> None:
    kept = signing_in(running, "ada").headers["set-cookie"]
    said = {part.strip().lower() for part in kept.split(";")[1:]}
    assert kept.startswith("__Host-report=ada~")
    assert said == {"httponly", "secure", "samesite=strict", "path=/", "max-age=28800"}


def test_a_cookie_that_was_changed_is_none(running: Process, cookie: str) -> None:
    name, identity, until, signature = cookie.removeprefix("__Host-report=").split("~")
    changed = (
        ("bob", identity, until, signature),
        (name, identity, str(int(until) + 1), signature),
        (name, "0" * 32, until, signature),
        (name, identity, until, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        (name, identity, until, ""),
    )
    for parts in changed:
        assert page(running, "/", f"__Host-report={'~'.join(parts)}").status_code == 303
    assert page(running, "/", cookie).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://report.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(headers: dict[str, str], running: Process, cookie: str) -> None:
    assert signing_in(running, "cay", **headers).status_code == 403
    sent = {"origin": "https://report.example", **headers, "cookie": cookie}
    assert httpx.post(f"{running.url}/sign-out", headers=sent, trust_env=False).status_code == 403
    assert page(running, "/", cookie).status_code == 200


def test_who_signs_out_is_out_wherever_the_cookie_is_kept(running: Process) -> None:
    kept = cookie_of(signing_in(running, "cay"))
    assert page(running, "/", kept).status_code == 200
    sent = {"origin": "https://report.example", "cookie": kept}
    answer = httpx.post(f"{running.url}/sign-out", headers=sent, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert page(running, "/", kept).status_code == 303


@pytest.mark.parametrize(("name", "then"), [("bob", 303), ("nobody", 401)])
def test_a_name_has_five_tries_whether_or_not_anybody_has_it(name: str, then: int, running: Process) -> None:
    answers = [signing_in(running, name, f"wrong {number}, and long enough") for number in range(4)]
    assert [each.status_code for each in answers] == [401] * 4
    assert all("That did not match. Check name and password" in each.text for each in answers)
    assert signing_in(running, name.upper()).status_code == then
    # One more each 30 s: on a slow machine some of these tries may be taken.
    refused = next(answer for answer in (signing_in(running, name) for _ in range(10)) if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert "set-cookie" not in refused.headers


def test_a_form_that_is_too_large_or_none_is_refused(running: Process) -> None:
    sent = {"origin": "https://report.example"}
    url = f"{running.url}/sign-in"
    assert httpx.post(url, data={"name": "a" * 5000}, headers=sent, trust_env=False).status_code == 413
    assert httpx.post(url, json={"name": "ada"}, headers=sent, trust_env=False).status_code == 415


def test_the_log_has_no_name_and_no_password(running: Process) -> None:
    log = running.log()
    assert "staff sign-in" in log
    assert not re.search(rf"\bada\b|\bbob\b|nobody|{PASSWORD}|long enough|scrypt", log)
