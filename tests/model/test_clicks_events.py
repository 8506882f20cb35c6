"""What a batch may hold, and what of it is kept."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from clicks_world import BROWSER, NOW_MS, TAB, batch
from hypothesis import given
from hypothesis import strategies as st

from app.clicks.events import MOST_EVENTS, OLDEST_MS, batch_of, envelope_of
from app.clicks.reasons import Reason, RefusedError
from app.clicks.senders import Sender, sender_of
from app.clicks.words import cleaned

pytestmark = pytest.mark.requirement("every event is validated, and nothing is kept that nobody has looked at")


def kept(body: bytes, *, received: int = NOW_MS, sender: Sender = Sender.PERSON) -> dict[str, Any]:
    """Return what a record has of a batch."""
    found: dict[str, Any] = json.loads(envelope_of(batch_of(body), received, sender))
    return found


def reason_of(body: bytes) -> Reason | None:
    """Return why a batch is refused."""
    try:
        envelope_of(batch_of(body), NOW_MS, Sender.PERSON)
    except RefusedError as refused:
        return refused.reason
    return None


def event(t: str = "view", **more: Any) -> dict[str, Any]:
    return {"t": t, "at": NOW_MS, "q": 1, **more}


ALL_TYPES = [
    event("view", p="tidal-rings-tee", k="t-shirts"),
    event("list", k="t-shirts", n=2),
    event("search", s="moon", n=14),
    event("add", p="tidal-rings-tee", k="t-shirts", n=1),
    event("remove", p="tidal-rings-tee"),
    event("checkout", n=3),
    event("buy", n=3),
]


def test_every_type_comes_back_as_it_was_sent_with_what_we_add() -> None:
    found = kept(batch(41, events=ALL_TYPES), received=NOW_MS + 30, sender=Sender.CRAWLER)
    assert found.pop("e") == [{**each, "at": NOW_MS + 30} for each in ALL_TYPES]
    assert found == {"v": 1, "tab": TAB, "b": 41, "received": NOW_MS + 30, "class": "crawler"}


def test_what_browsers_gave_up_is_kept() -> None:
    assert kept(batch(d=12))["d"] == 12


def test_unknown_fields_are_dropped_and_later_versions_taken() -> None:
    body = batch(v=2, mail="a@b.example", events=[event(p="lamp", ip="192.0.2.1", x={"deep": [1]})])
    found = kept(body)
    assert found["v"] == 2
    assert found["e"] == [event(p="lamp")]
    assert b"example" not in envelope_of(batch_of(body), NOW_MS, Sender.PERSON)


@pytest.mark.parametrize(
    "body",
    [
        batch(v=0),
        batch(v="1"),
        batch(v=1000),
        batch(tab="0123456789ABCDEF"),
        batch(tab="0123456789abcde"),
        batch(tab="0123456789abcdef\n"),
        batch(-1),
        batch(2**31),
        batch(sent=-1),
        batch(sent=2**53),
        batch(sent=1.5),
        batch(d=-1),
        batch(events=[]),
        batch(events=[event(p="lamp")] * (MOST_EVENTS + 1)),
        batch(events=[event("view")]),
        batch(events=[event("view", p="")]),
        batch(events=[event("view", p="x" * 65)]),
        batch(events=[event("view", p=7)]),
        batch(events=[event("list")]),
        batch(events=[event("add")]),
        batch(events=[event("remove")]),
        batch(events=[event("wish", p="lamp")]),
        batch(events=[{"at": 1, "q": 1}]),
        batch(events=[{"t": "buy", "q": 1}]),
        batch(events=[{"t": "buy", "at": 1}]),
        batch(events=[event("buy", n=10_000)]),
        batch(events=[event("buy", n=-1)]),
        batch(events=[event("search", s="x" * 201)]),
        batch(events=[{"t": "buy", "at": 1, "q": 2**31}]),
        b"[]",
        b'"text"',
        b"null",
    ],
    ids=lambda body: body[-60:].decode(),
)
def test_what_is_beyond_a_bound_is_refused(body: bytes) -> None:
    assert reason_of(body) is Reason.SHAPE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"{" * 60_000,
        b'{"a":' * 10_000,
        batch() + b"x",
        batch(events=[event("search", s="~")]).replace(b"~", b"\xc3"),
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert reason_of(body) is Reason.JSON


def test_half_a_character_is_no_text() -> None:
    assert reason_of(batch(events=[event("search", s="\ud800")])) is Reason.JSON


@pytest.mark.parametrize("c", [0, 2, -1])
def test_nothing_is_taken_without_consent(c: int) -> None:
    assert reason_of(batch(c=c)) is Reason.CONSENT
    without = msgspec.json.decode(batch(), type=dict[str, Any])
    del without["c"]
    assert reason_of(msgspec.json.encode(without)) is Reason.CONSENT


@pytest.mark.parametrize("name", ["a@b", "Lamp", "lamp 1", "lamp/1", "l\u00e4mp", "lamp\n", "\u0660", "a_b"])
@pytest.mark.parametrize("field", ["p", "k"])
def test_names_have_the_letters_of_the_catalogues_addresses(name: str, field: str) -> None:
    assert reason_of(batch(events=[event("view", **{"p": "lamp", field: name})])) is Reason.NAME
    assert reason_of(batch(events=[event("view", p="lamp-2", k="desk-lamps")])) is None


@pytest.mark.parametrize(
    ("sent", "at", "received", "expected"),
    [
        (1000, 400, NOW_MS, NOW_MS - 600),  # a browser whose clock is at 1970
        (2**53 - 1, 2**53 - 61, NOW_MS, NOW_MS - 60),  # and one far ahead
        (1000, 1000, NOW_MS, NOW_MS),
        (1000, 5000, NOW_MS, NOW_MS),  # younger than its own sending
        (OLDEST_MS + 1000, 999, NOW_MS, NOW_MS - OLDEST_MS),
        (2**53 - 1, 0, NOW_MS, NOW_MS - OLDEST_MS),
        (OLDEST_MS, 0, NOW_MS, NOW_MS - OLDEST_MS),
    ],
)
def test_a_moment_is_when_it_was_received_less_its_age(sent: int, at: int, received: int, expected: int) -> None:
    body = batch(sent=sent, events=[{"t": "buy", "at": at, "q": 1}])
    assert kept(body, received=received)["e"][0]["at"] == expected


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_no_moment_is_later_than_now_or_older_than_a_day(sent: int, at: int) -> None:
    found = kept(batch(sent=sent, events=[{"t": "buy", "at": at, "q": 1}]))["e"][0]["at"]
    assert NOW_MS - 86_400_000 <= found <= NOW_MS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Moon  Lamp", "moon lamp"),
        (" LINEN\tapron ", "linen apron"),
        ("caf\u00e9", "caf\u00e9"),
        ("x" * 100, "x" * 64),
        ("me@example.org", ""),
        ("me\uff20example.org", ""),  # full-width
        ("me @ example org", ""),
        ("me%40example.org", ""),
        ("me (at) example.org", ""),
        ("lamp 12345", "lamp 12345"),
        ("lamp 123456", ""),
        ("+49 151 1-2", ""),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", ""),  # Arabic-Indic digits
        ("\uff11\uff12\uff13\uff14\uff15\uff16", ""),
        ("lamp " + "y" * 80 + " 123456", ""),  # beyond what is kept
        ("a\x00b\u200b\u202ec", "abc"),
        ("   ", ""),
    ],
)
def test_search_words_are_cleaned(text: str, expected: str) -> None:
    assert cleaned(text) == expected
    found = kept(batch(events=[event("search", s=text, n=3)]))["e"][0]
    assert found.get("s", "") == expected
    assert found["n"] == 3


@given(st.text(max_size=200))
def test_words_are_short_and_hold_no_long_number_and_no_mail(text: str) -> None:
    found = cleaned(text)
    assert len(found) <= 64
    assert "@" not in found
    assert sum(character.isdigit() for character in found) < 6
    assert "\x00" not in found
    assert cleaned(found) == found


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
SENDERS = {
    BROWSER: Sender.PERSON,
    f"{CHROME} Chrome/140.0 Safari/537.36": Sender.PERSON,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1": Sender.PERSON,
    "Mozilla/5.0 (Linux; Android 15; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/140.0": Sender.PERSON,
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": Sender.CRAWLER,
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0) Chrome/140.0": Sender.CRAWLER,
    "facebookexternalhit/1.1": Sender.CRAWLER,
    f"{CHROME} HeadlessChrome/140.0 Safari/537.36": Sender.PROGRAM,
    "curl/8.5.0": Sender.PROGRAM,
    "python-httpx/0.28.1": Sender.PROGRAM,
    "x": Sender.PROGRAM,
    "": Sender.UNKNOWN,
}


@pytest.mark.parametrize(("name", "expected"), SENDERS.items())
def test_senders_have_a_class(name: str, expected: Sender) -> None:
    assert sender_of(name.encode()) is expected
    assert kept(batch(), sender=expected)["class"] == expected.value


@given(st.binary(max_size=256))
def test_every_name_has_one_of_the_classes(name: bytes) -> None:
    assert sender_of(name) in set(Sender)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("v", "tab", "b", "sent", "c", "d", "e", "class", "received", "x")
EVENT_FIELDS = ("t", "at", "q", "p", "k", "s", "n", "x")


@given(
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=2),
    st.dictionaries(st.sampled_from(EVENT_FIELDS), anything, max_size=2),
    st.sampled_from(ALL_TYPES),
)
def test_whatever_is_kept_is_within_all_bounds(
    more: dict[str, Any], inside: dict[str, Any], kind: dict[str, Any]
) -> None:
    body = json.dumps({**msgspec.json.decode(batch(events=[{**kind, **inside}])), **more}).encode()
    if reason_of(body) is not None:
        return
    found = kept(body)
    assert set(found) <= {"v", "tab", "b", "received", "class", "d", "e"}
    assert (found["received"], found["class"]) == (NOW_MS, "person"), "only we say these"
    for each in found["e"]:
        assert set(each) <= {"t", "at", "q", "p", "k", "s", "n"}
        assert NOW_MS - 86_400_000 <= each["at"] <= NOW_MS
        assert len(each.get("s", "")) <= 64
        assert all(len(each.get(name, "")) <= 64 for name in "pk")
        assert 0 <= each.get("n", 0) <= 9999
