"""Pages with recommendations, of a recommender that is well, dead, slow or lying; PostgreSQL and processes are real."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from scripted_recommender import Script, Scripted
from shop_processes import FACTS, SECRET, Process
from shopper import Shopper

from app.recommendations.recently import RecentlyViewed
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("recommendations are in the first bytes, of what can be bought, never waited for")
SLUG = "tidal-rings-tee"
RECENTLY = RecentlyViewed(SECRET, "rdc-a", secure=False)


def storefront(shop: Shop, rendered: Path, recommender: str, **more: str) -> Process:
    return Process(
        "serve",
        {
            "COMMERCE_DSN": shop.cluster.service_dsn("commerce"),
            "SHOP_SESSION_SECRET": SECRET,
            "PAYMENTS_URL": shop.payments.url,
            "SHOP_RENDERED": str(rendered),
            "SHOP_REGION_FACTS": FACTS,
            "SHOP_CLICKS": "1",
            "SHOP_RECOMMENDATIONS": recommender,
            **more,
        },
    )


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def pages(shop: Shop, rendered: Path, scripted: Scripted) -> Iterator[Process]:
    process = storefront(shop, rendered, scripted.url)
    yield process
    process.stop()


@pytest.fixture
def script(scripted: Scripted, pages: Process) -> Script:
    """A recommender that is well and says nothing, and a storefront that believes it is well."""
    script = scripted.script
    script.say, script.seconds = (lambda: (200, b'{"row": []}')), 0.0

    def is_asked() -> bool:
        script.asked.clear()
        httpx.get(f"{pages.url}/", trust_env=False)
        return bool(script.asked) and figure(pages, "recommender_given_up") == 0

    wait_until(is_asked, what="the storefront to ask", seconds=30, interval=0.2)
    script.asked.clear()
    return script


def figure(process: Process, name: str) -> float:
    text = httpx.get(f"{process.url}/metrics", trust_env=False).text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def number(cluster: Cluster, slug: str) -> int:
    return int(cluster.query("commerce", "SELECT id FROM catalogue.product WHERE slug = %s", slug)[0][0])


def others(cluster: Cluster, count: int) -> list[tuple[int, str]]:
    """Return numbers and slugs of other products that can be bought."""
    question = "SELECT id, slug FROM catalogue.product WHERE on_sale AND slug <> %s ORDER BY id DESC LIMIT %s"
    return [(row[0], row[1]) for row in cluster.query("commerce", question, SLUG, count)]


def shown(html: str, name: str = "suggested") -> list[str]:
    """Return the products of a section, by the slugs of its links."""
    found = re.search(rf'<section class="band" aria-labelledby="{name}">(.*?)</section>', html, re.DOTALL)
    return re.findall(r'href="/products/([^"]+)"', found[1]) if found else []


def page(process: Process, path: str = f"/products/{SLUG}", cookies: str = "", **headers: str) -> httpx.Response:
    return httpx.get(f"{process.url}{path}", headers={"cookie": cookies, **headers}, trust_env=False)


def asked(process: Process, script: Script, cookies: str) -> dict[str, Any]:
    """Return what a page asked, or nothing when it did not ask."""
    script.asked.clear()
    page(process, cookies=cookies)
    return script.asked[-1] if script.asked else {}


def page_with(ask: Callable[[], httpx.Response], expected: list[str], name: str = "suggested") -> httpx.Response:
    """Return a page that shows these products, and see to it that no page before it shows another one.

    On a busy machine an answer may take longer than 20 ms, as it may for a customer: then a page has no row.
    """
    pages: list[httpx.Response] = []

    def shows() -> bool:
        pages.append(ask())
        assert pages[-1].status_code == 200
        assert set(shown(pages[-1].text, name)) <= set(expected)
        return shown(pages[-1].text, name) == expected

    wait_until(shows, what=f"a page with {expected}", seconds=60, interval=0.1)
    return pages[-1]


def sell_out(cluster: Cluster, product: int) -> None:
    skus = "SELECT sku FROM catalogue.variant WHERE product_id = %s"
    cluster.query("commerce", f"UPDATE inventory.stock SET free = 0 WHERE sku IN ({skus})", product)


@pytest.fixture
def restocked(cluster: Cluster) -> Iterator[None]:
    stock = cluster.query("commerce", "SELECT sku, free FROM inventory.stock")
    yield
    skus, free = map(list, zip(*stock, strict=True))
    cluster.query(
        "commerce",
        "UPDATE inventory.stock SET free = before.free FROM unnest(%s::text[], %s::int[]) AS before (sku, free)"
        " WHERE stock.sku = before.sku AND stock.free <> before.free",
        skus,
        free,
    )
    cluster.query("commerce", "UPDATE catalogue.product SET on_sale = true WHERE NOT on_sale")


def test_a_row_is_in_the_page_with_why_each_product_is_there(shop: Shop, pages: Process, script: Script) -> None:
    (one, slug), (two, other) = others(shop.cluster, 2)
    row = [{"product": one, "because": "seen together"}, {"product": two, "because": "popular in its category"}]
    script.say = lambda: (200, msgspec.json.encode({"row": row}))
    html = page_with(lambda: page(pages), [slug, other]).text
    assert html.count('id="suggested"') == 1
    assert "Others looked at it in the same visit" in html
    assert re.search(r'card-note">Popular in \w+', html)
    assert script.asked[-1] == {"page": "product", "count": 6, "product": number(shop.cluster, SLUG)}
    for path, name in (("/", "home"), ("/cart", "cart")):
        page_with(partial(page, pages, path), [slug, other])
        assert script.asked[-1] == {"page": name, "count": 6}


def test_what_is_sold_out_hidden_or_unknown_never_appears(
    shop: Shop, pages: Process, script: Script, restocked: None
) -> None:
    (one, slug), (two, _), (three, _) = others(shop.cluster, 3)
    script.row(two, three, one, 999_999, 1_048_575, number(shop.cluster, SLUG), one)
    sell_out(shop.cluster, two)
    shop.cluster.query("commerce", "UPDATE catalogue.product SET on_sale = false WHERE id = %s", three)
    cookie = f"clicks=yes; recently={RECENTLY.write([two, three, one]).value}"
    page_with(lambda: page(pages, cookies=cookie), [slug])
    page_with(lambda: page(pages, cookies=cookie), [slug], "recently")


LIES: list[tuple[int, bytes]] = [
    (200, b"not JSON"),
    (200, b'{"row": "all"}'),
    (200, b'{"row": [{"product": 99999999999999999999, "because": "new"}]}'),
    (200, b'{"row": [' + b" " * 2_000_000 + b"]}"),
    (200, b""),
    (500, b'{"row": []}'),
    (503, b"full"),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda each: f"{each[0]} {each[1][:30]!r}")
def test_a_recommender_that_lies_costs_its_row_and_soon_nothing(
    pages: Process, script: Script, lie: tuple[int, bytes]
) -> None:
    script.say = lambda: lie
    began = time.monotonic()
    for _ in range(10):
        answer = page(pages)
        assert answer.status_code == 200
        assert shown(answer.text) == []
        assert 'id="more"' in answer.text
    assert 3 <= len(script.asked) <= 3 + time.monotonic() - began, "three failures, then one page a second tries"


def test_a_recommender_that_answers_after_a_second_is_waited_for_three_times(pages: Process, script: Script) -> None:
    script.seconds = 1.0
    failed, spared = figure(pages, "recommender_failed"), figure(pages, "recommender_not_asked")
    began = time.monotonic()
    for _ in range(20):
        assert page(pages).status_code == 200
    waits = figure(pages, "recommender_failed") - failed
    assert 3 <= waits <= 3 + time.monotonic() - began, "each is 20 ms at the most"
    assert figure(pages, "recommender_not_asked") - spared == 20 - waits


def test_a_recommender_that_is_dead_costs_no_page(shop: Shop, rendered: Path) -> None:
    process = storefront(shop, rendered, "http://127.0.0.1:9")
    try:
        for path in (f"/products/{SLUG}", "/", "/cart") * 4:
            answer = page(process, path)
            assert answer.status_code == 200
            assert shown(answer.text) == []
        assert figure(process, "recommender_answered") == 0
        assert figure(process, "recommender_failed") + figure(process, "recommender_not_asked") == 12
        assert figure(process, "recommender_given_up") == 1
    finally:
        process.stop()


def test_a_connection_is_kept_for_the_next_page(
    pages: Process, script: Script, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    verify = scripted.verify_request

    def counted(request: Any, client: Any) -> bool:
        made.append(client)
        return verify(request, client)

    monkeypatch.setattr(scripted, "verify_request", counted)
    failed = figure(pages, "recommender_failed")
    for _ in range(20):
        page(pages)
    assert script.asked
    assert len(made) <= 1 + figure(pages, "recommender_failed") - failed, "one that answers too late is closed"


def test_what_was_looked_at_is_remembered_after_a_yes_only(shop: Shop, pages: Process, script: Script) -> None:
    mine, (one, slug) = number(shop.cluster, SLUG), others(shop.cluster, 1)[0]
    for cookies, headers in (("", {}), ("clicks=no", {}), ("clicks=yes", {"sec-gpc": "1"})):
        assert "set-cookie" not in page(pages, cookies=cookies, **headers).headers
    first = page(pages, f"/products/{slug}", cookies="clicks=yes")
    value = first.cookies["recently"]
    assert RECENTLY.read({"recently": value}) == (one,)
    assert "httponly" in first.headers["set-cookie"].lower()
    second = page_with(lambda: page(pages, cookies=f"clicks=yes; recently={value}"), [slug], "recently")
    assert RECENTLY.read({"recently": second.cookies["recently"]}) == (one, mine)
    asks = {"page": "product", "count": 6, "viewed": [one], "product": mine}
    wait_until(lambda: asked(pages, script, cookies=f"clicks=yes; recently={value}") == asks, what="it", seconds=30)
    withdrawn = page(pages, "/search", cookies=f"clicks=no; recently={value}")
    assert re.search(r'recently="?"?; .*Max-Age=0', withdrawn.headers["set-cookie"])
    forgotten = page(pages, cookies=f"clicks=no; recently={value}")
    assert shown(forgotten.text, "recently") == []
    del asks["viewed"]
    wait_until(lambda: asked(pages, script, cookies=f"clicks=no; recently={value}") == asks, what="it", seconds=30)


def test_a_cart_is_asked_with_its_products(shop: Shop, pages: Process, script: Script) -> None:
    (one, slug), (two, other) = others(shop.cluster, 2)
    shopper = Shopper(pages.url)
    assert shopper.add(slug).status_code == 303
    script.row(one, two)
    page_with(lambda: shopper.get("/cart"), [other])
    assert script.asked[-1] == {"page": "cart", "count": 6, "viewed": [one]}


def test_a_group_without_recommendations_is_not_asked_for(shop: Shop, rendered: Path, scripted: Scripted) -> None:
    (_, slug), (two, other) = others(shop.cluster, 2)
    trial = '{"name": "row-1", "percent": 50, "from": "2020-01-01", "until": "2999-01-01"}'
    process = storefront(shop, rendered, scripted.url, SHOP_RECOMMENDATIONS_TRIAL=trial)
    script = scripted.script
    script.seconds = 0.0
    script.row(two)
    try:
        script.asked.clear()
        assert shown(page(process).text) == [], "who has no session is in no group yet"
        assert script.asked == []
        seen: set[bool] = set()
        for _ in range(40):
            shopper = Shopper(process.url)
            assert shopper.add(slug).status_code == 303
            script.asked.clear()
            found = {path: shown(shopper.get(path).text) for path in (f"/products/{SLUG}", "/", "/cart") * 2}
            groups = {each.get("group") for each in script.asked}
            assert groups <= {"with"}, "nobody asks for a group that is shown none"
            assert groups or not any(found.values())
            if groups:
                page_with(partial(shopper.get, "/"), [other])
            seen.add(bool(groups))
            if len(seen) > 1:
                break
        assert seen == {True, False}
    finally:
        process.stop()


def test_a_shop_without_a_recommender_shows_and_remembers_nothing(shop: Shop) -> None:
    answer = page(shop.storefront, cookies="clicks=yes")
    assert "set-cookie" not in answer.headers
    assert shown(answer.text) == shown(answer.text, "recently") == []


@pytest.fixture
def looked_at(cluster: Cluster) -> Iterator[list[tuple[int, str]]]:
    """Ten sessions of today with a product and three others."""
    found = others(cluster, 3)
    mine = number(cluster, SLUG)
    for session in range(10):
        for product in (mine, *(each for each, _ in found)):
            cluster.query(
                "commerce", "INSERT INTO insight.session_look VALUES (%s, %s, extract(epoch FROM now())::bigint)",
                session, product,
            )  # fmt: skip
    yield found
    cluster.query("commerce", "TRUNCATE insight.session_look")


def test_from_sessions_in_the_database_to_a_page_without_what_is_sold_out(
    shop: Shop, rendered: Path, looked_at: list[tuple[int, str]], restocked: None, tmp_path: Path
) -> None:
    environment = {
        "COMMERCE_DSN": shop.cluster.service_dsn("commerce", "recommend_app"),
        "RECOMMEND_INDEX_FILE": str(tmp_path / "sessions"),
        "RECOMMEND_REBUILD_SECONDS": "1",
        "RECOMMEND_SHOWN_SECONDS": "0.1",
    }
    recommender = Process("recommend", environment)
    process = storefront(shop, rendered, recommender.url)
    slugs = {slug for _, slug in looked_at}
    mine = number(shop.cluster, SLUG)

    def answered() -> set[int]:
        asked = {"page": "product", "count": 8, "product": mine}
        answer = httpx.post(f"{recommender.url}/row", json=asked, trust_env=False)
        return {each["product"] for each in answer.json()["row"] if each["because"] == "seen together"}

    try:
        wait_until(lambda: len(answered()) == 3, what="an index", seconds=60, interval=0.2, explain=recommender.log)
        wait_until(lambda: set(shown(page(process).text)) >= slugs, what="a row", seconds=20, interval=0.2)
        (one, sold), (two, hidden), (three, _) = looked_at
        sell_out(shop.cluster, one)
        assert sold not in shown(page(process).text), "the page looks for itself"
        shop.cluster.query("commerce", "UPDATE catalogue.product SET on_sale = false WHERE id = %s", two)
        assert hidden not in shown(page(process).text)
        wait_until(lambda: answered() == {three}, what="the recommender to know", seconds=10, interval=0.05)
        assert httpx.get(f"{recommender.url}/livez", trust_env=False).status_code == 200
        assert "recommend_index_sessions 10\n" in httpx.get(f"{recommender.url}/metrics", trust_env=False).text
        recommender.ask_to_leave()
        assert recommender.wait() == 0
        assert page(process).status_code == 200
        warm = Process("recommend", {**environment, "RECOMMEND_REBUILD_SECONDS": "3600"})
        try:
            text = httpx.get(f"{warm.url}/metrics", trust_env=False).text
            assert "recommend_index_sessions 10\n" in text
            assert "recommend_index_swapped_seconds_ago" not in text
        finally:
            warm.stop()
    finally:
        recommender.stop()
        process.stop()
