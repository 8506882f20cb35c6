"""Visitors of bench/clickstream: the same for the same seed, in an order that a shop allows, as its script sends."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import clickstream_world  # noqa: F401 the folders of benchmarks come onto the path with it
import httpx
import pytest
import stream_player
from clickstream_world import SHELVES, TAKEN, MemorySite, played
from made_browser import YES, MadeBrowser
from stream_connections import Answer
from stream_ledger import MARKER, PROBE, Entry, Fate, Ledger, LedgerError, begin_line, end_line
from stream_tab import Request, Tab
from stream_visits import Crowd, Happening, Shelves

pytestmark = pytest.mark.requirement("the load of clicks is as browsers send it, and the same for the same seed")


def happenings(seed: int, run: str, count: int = 3_000) -> list[Happening]:
    crowd = Crowd(SHELVES, 50, seed, run)
    return [crowd.next() for _ in range(count)]


# --- visitors ------------------------------------------------------------------------------------------------------
def test_a_seed_decides_everything_and_a_run_the_numbers_of_its_tabs() -> None:
    first, other = happenings(1, "a"), happenings(1, "b")
    assert first == happenings(1, "a")
    assert [(each.click, each.is_last) for each in first] == [(each.click, each.is_last) for each in other]
    assert {each.tab for each in first}.isdisjoint(each.tab for each in other), "else all would be copies"
    assert [each.click for each in first] != [each.click for each in happenings(2, "a")]


def test_nobody_buys_without_a_checkout_or_checks_out_with_an_empty_cart() -> None:
    carts: defaultdict[str, list[str]] = defaultdict(list)
    last: dict[str, str] = {}
    ended = set()
    for each in happenings(1, "a", 20_000):
        click, cart, before = each.click, carts[each.tab], last.get(each.tab, "")
        assert each.tab not in ended, "a tab that was left stays closed"
        match click["t"]:
            case "add":
                assert before == "view"
                cart.append(click["p"])
            case "remove":
                cart.remove(click["p"])
            case "checkout":
                assert click["n"] == len(cart) > 0
            case "buy":
                assert before == "checkout"
                assert click["n"] == len(cart) > 0
                cart.clear()
        last[each.tab] = click["t"]
        if each.is_last:
            ended.add(each.tab)
    kinds = {each.click["t"] for each in happenings(1, "a", 20_000)}
    assert kinds == {"view", "list", "search", "add", "remove", "checkout", "buy"}


def test_the_first_product_is_seen_twice_as_often_as_the_second() -> None:
    chance = Random(3)
    drawn = [SHELVES.draw(chance)[0] for _ in range(20_000)]
    assert 1.8 < drawn.count("tee-1") / drawn.count("tee-2") < 2.2
    assert drawn.count("lamp") > 0


def test_the_shop_itself_says_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_player, "PAUSE_SECONDS", 0.0)
    named = ("products/moon-tee", "products/lamp", "categories/t-shirts", "categories/lamps", "legal/imprint")
    pages = {
        "/sitemap.xml": "".join(f"<url><loc>https://www.shop.test/{each}</loc></url>" for each in named),
        "/categories/t-shirts?page=1": '<a href="/products/moon-tee">',
        "/categories/t-shirts?page=2": '<a href="/products/moon-tee">',
        "/categories/lamps?page=1": '<a href="/products/lamp">',
        "/categories/lamps?page=2": "",
    }
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(503 if len(asked) == 1 else 200, text=pages[asked[-1]])

    with httpx.Client(base_url="https://www.shop.test", transport=httpx.MockTransport(answer)) as shop:
        found = stream_player.shelves_of(shop)
        assert found == Shelves((("moon-tee", "t-shirts"), ("lamp", "lamps")), ("t-shirts", "lamps"))
        pages["/sitemap.xml"] = ""
        with pytest.raises(SystemExit, match="expected products"):
            stream_player.shelves_of(shop)


# --- a tab ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def browser() -> Iterator[MadeBrowser]:
    made = MadeBrowser()
    made.without_chance()
    yield made
    made.close()


class Both:
    """The script and the tab, told the same."""

    def __init__(self, browser: MadeBrowser) -> None:
        self.browser = browser
        self.asked: list[Request] = []
        self.now = 0.0
        self.tab = Tab("0" * 16, self.asked.append, lambda: 0.0)

    def open(self, click: dict[str, Any] | None) -> None:
        self.browser.open(click, cookie=YES)
        self.tab.open_page(self.now, click)

    def submit(self, click: dict[str, Any]) -> None:
        self.browser.submit(click)
        self.tab.tell(self.now, click)

    def hide(self) -> None:
        self.browser.follow(to_shop=False)
        self.browser.hide()
        self.tab.send(self.now)

    def pass_time(self, seconds: float) -> None:
        self.browser.pass_time(seconds)
        until = self.now + seconds * 1000
        while self.tab.timer is not None and self.tab.timer <= until:
            self.now = max(self.now, self.tab.timer)
            self.tab.send(self.now)
        self.now = until

    def answer(self, status: int, retry_after: int) -> bool:
        """Answer what is under way, if anything is; status 0 is a network that broke, which asks for nothing."""
        retry_after = retry_after if status else 0
        if not self.asked or not self.tab.awaits(self.asked[-1]):
            return False
        self.browser.answer(status, str(retry_after) if retry_after else None)
        self.tab.answered(self.asked[-1], status, retry_after, self.now)
        return True

    def compare(self) -> None:
        script = [(each["b"], each["d"], [event["q"] for event in each["e"]]) for each in self.browser.asked]
        bodies = [each.body() for each in self.asked]
        assert [(each["b"], each["d"], [event["q"] for event in each["e"]]) for each in bodies] == script


@pytest.mark.parametrize("seed", range(6))
def test_a_tab_sends_what_the_script_sends(browser: MadeBrowser, seed: int) -> None:
    """Pages, forms, silence, and answers of all kinds, in any order: the same batches under the same numbers."""
    chance, both = Random(seed), Both(browser)
    both.open({"t": "view", "p": "tee-1"})
    for _ in range(200):
        match chance.choices(["open", "submit", "wait", "answer", "hide"], [3, 5, 3, 4, 1])[0]:
            case "open":
                both.open(chance.choice([None, {"t": "list", "k": "lamps"}]))
            case "submit":
                for _ in range(chance.choice([1, 1, 3, 20])):
                    both.submit({"t": "add", "p": "lamp"})
            case "wait":
                both.pass_time(chance.choice([0.25, 1, 5.5, 70]))
            case "answer":
                both.answer(chance.choice([204, 204, 204, 503, 503, 0, 400, 413, 429]), chance.choice([0, 0, 4]))
            case "hide":
                both.hide()
        both.compare()
    assert len(both.asked) > 10


# --- a load --------------------------------------------------------------------------------------------------------
def test_what_is_not_acknowledged_is_sent_again_as_it_was() -> None:
    """The first try is refused, the second one lost, or it never leaves: the number and the events stay."""

    def rule(body: dict[str, Any], times: int) -> Answer | None:
        if body["b"] > 0:
            return TAKEN
        return {1: Answer(503, 0), 2: None}.get(times, TAKEN) if int(body["tab"], 16) % 2 else TAKEN

    site = MemorySite(rule)
    entries, play = asyncio.run(played(site, rate=60, partitions=1, patience=30))
    again = [each for each in entries if each.number == 0 and int(each.tab, 16) % 2]
    assert {each.fate for each in entries} == {Fate.ACKNOWLEDGED}
    assert all(each.answers["503"] == each.answers["lost"] == each.answers["204"] == 1 for each in again)
    sent: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for body in site.bodies:
        sent[body["tab"], body["b"]].append((body["e"], body["d"]))
    assert again
    for each in again:
        tries = sent[each.tab, 0]
        assert len(tries) == 3
        assert tries[0] == tries[1] == tries[2]
    assert sum(len(each.events) for each in entries if not each.part) == play.seen.made == 30
    assert play.seen.gap[0] < 10


def test_more_visitors_than_there_is_room_for_hidden_tabs_lose_nothing_at_the_end() -> None:
    entries, play = asyncio.run(played(MemorySite(), visitors=900, rate=3_000, seconds=0.5))
    assert play.seen.never_sent == 0
    assert sum(len(each.events) for each in entries if not each.part) == play.seen.made == 1_500


def test_numbers_of_a_tab_have_no_gap_and_every_partition_has_a_mark() -> None:
    entries, _ = asyncio.run(played(MemorySite(), probes=True))
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for each in entries:
        numbers[each.tab].append(each.number)
    assert all(sorted(own) == list(range(len(own))) for own in numbers.values())
    assert [each.part for each in entries if each.part == MARKER] == [MARKER, MARKER]
    assert [each.events[0][:2] for each in entries if each.part == PROBE] == [("view", "tee-1")]


def test_what_nobody_answers_is_unknown_and_what_never_left_is_not() -> None:
    lost, _ = asyncio.run(played(MemorySite(lambda _body, _times: None), rate=40, patience=0.2))
    kept, play = asyncio.run(played(MemorySite(lambda _body, _times: Answer(599, 0)), rate=40, patience=0.2))
    assert {each.fate for each in lost} == {Fate.UNKNOWN}
    assert {each.fate for each in kept} == {Fate.REFUSED}
    assert play.seen.never_sent + play.seen.events[Fate.REFUSED] == 20 + 2, "visitors and marks"
    assert play.seen.gap[0] > 0.4, "nothing was acknowledged for half a second"


def test_a_ledger_without_an_end_cannot_be_judged(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    entry = Entry("0" * 16, 0, (("view", "tee-1", 5),), {"204": 1}, 1, 2, 1)
    file.write_text("\n".join([begin_line(run="a"), entry.line(), '{"tab":"cut o']))
    with pytest.raises(LedgerError, match="no end"):
        Ledger.read(file)
    file.write_text("\n".join([begin_line(run="a"), entry.line(), end_line(made=1), '{"latency": {"p50": 7}}']))
    ledger = Ledger.read(file)
    assert list(ledger.entries()) == [entry]
    assert (ledger.begin["run"], ledger.end["made"], ledger.notes()) == ("a", 1, {"latency": {"p50": 7}})
