"""The pages' script of clicks: nothing without a yes, nothing twice under two numbers, nothing lost that can wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_browser import NO, SCRIPT, VIEW, YES, MadeBrowser

from app.catalogue.pages import LONGEST_QUERY
from app.clicks.events import LARGEST_BODY, batch_of, envelope_of
from app.clicks.senders import Sender
from app.media.render import render

pytestmark = pytest.mark.requirement("nothing before consent, under 3 KB, one batch in flight per tab")


@pytest.fixture
def browser() -> Iterator[MadeBrowser]:
    made = MadeBrowser()
    yield made
    made.close()


def test_what_browsers_get_is_under_3_kb_and_asks_nobody_else(tmp_path: Path) -> None:
    render(tmp_path)
    (sent,) = (tmp_path / "static").glob("clicks.*.js")
    assert sent.stat().st_size < 3 * 1024
    assert not re.search(r"https?://|import|localStorage|indexedDB", sent.read_text())
    assert re.findall(r'fetch\("([^"]*)"', sent.read_text()) == ["/b"]


@pytest.mark.parametrize("cookie", ["", "session=x", NO, "myclicks=yes", "clicks=maybe"])
def test_nothing_is_kept_or_sent_without_a_yes(browser: MadeBrowser, cookie: str) -> None:
    browser.open(VIEW, cookie=cookie)
    browser.submit({"t": "add", "p": "lamp"})
    browser.pass_time(60)
    browser.hide()
    assert browser.asked == []
    assert browser.says["storage"] is None
    assert browser.says["cookie"] == cookie


@pytest.mark.parametrize(("cookie", "is_open"), [("", True), ("session=x", True), (NO, False), (YES, False)])
def test_who_has_not_answered_is_asked_and_nobody_twice(browser: MadeBrowser, cookie: str, is_open: bool) -> None:
    browser.open(VIEW, cookie=cookie)
    assert browser.says["hidden"] is False, "the answer can be changed on every page"
    assert browser.says["open"] is is_open


@pytest.mark.parametrize("cookie", ["", YES])
def test_global_privacy_control_is_a_no(browser: MadeBrowser, cookie: str) -> None:
    browser.open(VIEW, cookie=cookie, opposed=True)
    browser.pass_time(60)
    browser.hide()
    assert browser.asked == []
    assert browser.says["hidden"] is True
    assert browser.says["storage"] is None


def test_a_yes_begins_with_the_page_that_is_shown(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie="")
    browser.choose("yes")
    assert browser.says["lastCookie"] == "clicks=yes; max-age=15552000; path=/; samesite=lax; secure"
    assert browser.says["open"] is False
    browser.pass_time(4.9)
    assert browser.asked == []
    browser.pass_time(0.2)
    assert [each["t"] for each in browser.last["e"]] == ["view"]


def test_a_no_empties_what_waits_and_ends_what_is_planned(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.submit({"t": "add", "p": "lamp"})
    assert browser.says["storage"]
    browser.choose("no")
    assert browser.says["cookie"] == "session=x; clicks=no"
    assert browser.says["storage"] is None
    browser.pass_time(60)
    browser.hide()
    assert browser.asked == []


def test_a_no_while_a_batch_is_under_way_keeps_nothing_of_it(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.pass_time(6)
    browser.choose("no")
    browser.answer(503, "1")
    browser.pass_time(600)
    assert len(browser.asked) == 1
    assert browser.says["storage"] is None


def test_a_no_in_another_tab_ends_this_one_too(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser._do("open", {"cookie": NO})  # noqa: SLF001 a page with nothing to tell
    browser.pass_time(60)
    browser.hide()
    assert browser.asked == []
    assert browser.says["storage"] is None


def test_a_batch_is_what_the_collector_takes(browser: MadeBrowser) -> None:
    pages: list[dict[str, Any]] = [
        {"t": "view", "p": "tidal-rings-tee", "k": "t-shirts"},
        {"t": "list", "k": "t-shirts", "n": 2},
        {"t": "search", "s": "Moon lamp", "n": 14},
        {"t": "checkout", "n": 3},
        {"t": "buy", "n": 3, "once": "receipt-of-a-test"},
    ]
    for page in pages:
        browser.open(page, cookie=YES)
    browser.submit({"t": "add", "p": "lamp", "k": "lamps"})
    browser.submit({"t": "remove", "p": "lamp"})
    browser.pass_time(6)
    (asked,) = browser.says["asked"]
    body = asked["options"]["body"]
    assert (asked["address"], asked["options"]["method"]) == ("/b", "POST")
    assert asked["options"]["keepalive"] is True
    assert asked["options"]["credentials"] == "omit", "who is signed in is nobody's business here"
    assert set(asked["options"]) == {"method", "body", "credentials", "keepalive"}, "text/plain, by default"
    batch = batch_of(body.encode())
    assert [each.q for each in batch.e] == list(range(7))
    kept = envelope_of(batch, 1764500000000, Sender.PERSON).decode()
    for kind in ("view", "list", "search", "checkout", "buy", "add", "remove"):
        assert f'"t":"{kind}"' in kept
    assert '"s":"moon lamp"' in kept
    assert "receipt-of-a-test" not in body
    ages = [batch.sent - each.at for each in batch_of(body.encode()).e]
    assert ages[-1] in range(4999, 5002)


@pytest.mark.parametrize("words", ["me@example.org", "lamp 123456", "+49 151 123", "1 2 3 4 5 6"])
def test_words_that_look_personal_do_not_leave_the_browser(browser: MadeBrowser, words: str) -> None:
    browser.open({"t": "search", "s": words, "n": 0}, cookie=YES)
    assert words not in browser.says["storage"]
    browser.pass_time(6)
    assert "s" not in browser.last["e"][0]


@pytest.mark.parametrize("words", ["a" * 63 + "\U0001f600", "\U0001f600" * LONGEST_QUERY], ids=["at the end", "all"])
def test_words_are_cut_where_a_character_ends(browser: MadeBrowser, words: str) -> None:
    browser.open({"t": "search", "s": words, "n": 0}, cookie=YES)
    browser.pass_time(6)
    kept = envelope_of(batch_of(browser.says["asked"][0]["options"]["body"].encode()), 1764500000000, Sender.PERSON)
    assert f'"s":"{words[:64]}"' in kept.decode()


def test_sixteen_events_go_at_once_and_fewer_after_five_seconds(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    for _ in range(14):
        browser.submit({"t": "add", "p": "lamp"})
    assert browser.asked == []
    browser.submit({"t": "add", "p": "lamp"})
    assert len(browser.last["e"]) == 16


def test_one_batch_at_a_time_and_the_next_number_only_after_204(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    for _ in range(40):
        browser.submit({"t": "add", "p": "lamp"})
    assert len(browser.asked) == 1
    first = browser.last
    browser.answer(503, "2")
    browser.pass_time(1.9)
    assert len(browser.asked) == 1, "asked to wait for two seconds"
    browser.pass_time(1.2)
    assert browser.last["e"] == first["e"], "the same batch"
    assert (browser.last["b"], browser.last["tab"]) == (first["b"], first["tab"])
    assert browser.last["sent"] > first["sent"]
    browser.answer(0)
    browser.pass_time(120)
    assert browser.last["e"] == first["e"]
    browser.answer(204)
    browser.pass_time(0.1)
    assert browser.last["b"] == first["b"] + 1
    assert [each["q"] for each in browser.last["e"]] == list(range(16, 32))


def test_pauses_grow_up_to_a_minute_and_a_half_and_end_with_a_204(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.pass_time(6)
    waits = []
    for _ in range(10):
        browser.answer(503)
        (wait,) = browser.says["due"]
        waits.append(wait / 1000)
        browser.pass_time(wait / 1000 + 0.001)
    for wait, least in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60], strict=True):
        assert least <= wait <= 1.5 * least + 0.002
    assert len(set(waits[6:])) > 1, "browsers that were refused together do not come back together"
    assert len(browser.asked) == 11
    browser.answer(204)
    browser.submit({"t": "add", "p": "lamp"})
    browser.pass_time(6)
    browser.answer(503)
    assert browser.says["due"][0] <= 1502


def test_a_page_that_follows_gives_way_as_well_and_sends_the_same_batch(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.pass_time(6)
    first = browser.last
    browser.answer(503, "30")
    browser.follow(to_shop=True)
    browser.open({"t": "list", "k": "lamps"})
    browser.hide()
    browser.pass_time(20)
    assert len(browser.asked) == 1
    browser.pass_time(30)
    assert (browser.last["b"], browser.last["e"]) == (first["b"], first["e"])
    browser.answer(204)
    browser.pass_time(6)
    assert (browser.last["b"], [each["t"] for each in browser.last["e"]]) == (first["b"] + 1, ["list"])


def test_413_halves_a_batch_and_then_gives_one_event_up(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    for _ in range(15):
        browser.submit({"t": "add", "p": "lamp"})
    sizes = []
    for _ in range(5):
        sizes.append(len(browser.last["e"]))
        browser.answer(413)
        browser.pass_time(0.1)
    assert sizes == [16, 8, 4, 2, 1]
    browser.pass_time(6)
    assert browser.last["d"] == 1, "what is given up is told"
    assert [each["q"] for each in browser.last["e"]] == list(range(1, 16))
    assert browser.last["b"] == 0
    browser.answer(204)
    browser.submit({"t": "add", "p": "lamp"})
    browser.pass_time(6)
    assert (browser.last["b"], browser.last["d"]) == (1, 0)


def test_400_gives_a_batch_up_and_the_next_one_goes_on(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.pass_time(6)
    browser.answer(400)
    browser.submit({"t": "add", "p": "lamp"})
    browser.pass_time(6)
    assert [each["t"] for each in browser.last["e"]] == ["add"]
    assert browser.last["d"] == 1


def test_what_waits_has_a_bound_and_what_is_over_it_is_told(browser: MadeBrowser) -> None:
    browser.open({"t": "search", "s": "\u00e4" * 80, "n": 1}, cookie=YES)
    for _ in range(300):
        browser.submit({"t": "add", "p": "x" * 64, "k": "y" * 64})
    assert len(browser.says["storage"]) < 64_000
    assert len(browser.says["asked"][0]["options"]["body"].encode()) < 16 * 1024 < LARGEST_BODY
    browser.answer(204)
    browser.pass_time(0.1)
    assert browser.last["d"] == 101


def test_leaving_the_shop_sends_at_once_and_going_on_in_it_does_not(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.follow(to_shop=True)
    browser.hide()
    assert browser.asked == []
    browser.open(VIEW)
    browser.submit({"t": "add", "p": "lamp"})
    browser.hide()
    assert browser.asked == []
    browser.open({"t": "list", "k": "lamps"})
    browser.follow(to_shop=False)
    browser.hide()
    assert [each["t"] for each in browser.last["e"]] == ["view", "view", "add", "list"]


def test_a_request_that_never_ends_has_a_bound() -> None:
    assert re.search(r"signal: AbortSignal\.timeout\(2e4\)", SCRIPT.read_text())


def test_a_design_that_is_only_shown_is_not_put_into_the_cart(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.submit({"t": "add", "p": "lamp"}, formaction=True)
    browser.submit(None)
    browser.pass_time(6)
    assert [each["t"] for each in browser.last["e"]] == ["view"]


def test_a_receipt_counts_once_however_often_it_is_looked_at(browser: MadeBrowser) -> None:
    for order in ("a", "a", "b", "b"):
        browser.open({"t": "buy", "once": order}, cookie=YES)
    browser.tell("pageshow", persisted=True)
    browser.pass_time(6)
    assert [each["t"] for each in browser.last["e"]] == ["buy", "buy"]


def test_going_back_counts_as_looking_again(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES)
    browser.tell("pageshow", persisted=False)
    browser.tell("pageshow", persisted=True)
    browser.pass_time(6)
    assert [each["t"] for each in browser.last["e"]] == ["view", "view"]


def test_a_page_that_is_only_prepared_is_not_looked_at(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie=YES, prerendering=True)
    browser.pass_time(60)
    assert browser.asked == []
    browser.tell("prerenderingchange")
    browser.pass_time(6)
    assert len(browser.last["e"]) == 1


def test_over_http_the_cookie_is_not_secure_so_that_it_is_kept(browser: MadeBrowser) -> None:
    browser.open(VIEW, cookie="", protocol="http:")
    browser.choose("no")
    assert browser.says["lastCookie"] == "clicks=no; max-age=15552000; path=/; samesite=lax"


ACTS = st.lists(
    st.sampled_from(["page", "add", "add", "wait", "long", "204", "204", "503", "0", "413", "hide"]),
    max_size=40,
)


class Story:
    """A tab and its collector, which drops what comes a second time under a number, as the worker does."""

    def __init__(self, browser: MadeBrowser) -> None:
        self.browser = browser
        self.told = self.given_up = 0
        self.arrived: list[int] = []
        self.marks: set[int] = set()
        browser.open(cookie=YES)

    def act(self, name: str) -> None:
        waits = {"wait": 6, "long": 100}
        if name == "page":
            self.browser.open(VIEW)
            self.told += 1
        elif name == "add":
            for _ in range(5):
                self.browser.submit({"t": "add", "p": "lamp"})
            self.told += 5
        elif name == "hide":
            self.browser.hide()
        elif name in waits:
            self.browser.pass_time(waits[name])
        else:
            self.collect(int(name))

    def collect(self, status: int) -> None:
        """Answer the request that waits, if there is one; a line that broke (0) may have carried it."""
        waiting = [each for each in self.browser.says["asked"] if each["isOpen"]]
        if not waiting:
            return
        batch = batch_of(waiting[0]["options"]["body"].encode())
        if status == 413 and batch.b in self.marks:
            status = 204  # what was taken once was not too large
        if status in {204, 0} and batch.b not in self.marks:
            self.marks.add(batch.b)
            self.arrived += [each.q for each in batch.e]
            self.given_up += batch.d
        self.browser.answer(status)

    def end(self) -> None:
        self.act("add")
        for _ in range(60):
            self.browser.pass_time(100)
            self.collect(204)


@given(ACTS)
@settings(max_examples=25)
def test_whatever_happens_each_event_arrives_once_or_is_told_as_given_up(acts: list[str]) -> None:
    browser = MadeBrowser()
    try:
        story = Story(browser)
        for act in acts:
            story.act(act)
        story.end()
        assert len(story.arrived) == len(set(story.arrived)), "nothing twice"
        assert story.arrived == sorted(story.arrived)
        assert len(story.arrived) + story.given_up == story.told
    finally:
        browser.close()
