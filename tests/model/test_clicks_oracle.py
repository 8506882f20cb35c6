"""What the collector reads of any bytes is what h11 reads of them: where requests end, what they say, who is answered.

A proxy and a server that disagree on where a request ends let one visitor speak in another one's name. h11 is the
oracle: it is strict, written by others, and shares no line with llhttp. Where the collector is stricter, it refuses and
ends the connection; it never takes what h11 does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import h11
import msgspec
import pytest
from clicks_world import World, batch, post
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.requirement("the research's own protocol class is fuzzed against h11")

GOOD = {batch(number): number for number in (1, 2, 3)}
BAD = (b"", b"{}", b"[1]", b"\x00\xff", b'{"v":1}', b"x" * 70)
REFUSALS = {400, 403, 404, 405, 411, 413, 417, 431}
PAGES = {b"/livez", b"/readyz", b"/metrics"}
SPACED = re.compile(rb"[A-Z] {2,}")
"""The one thing that llhttp takes and h11 does not: more than one space after the method (RFC 9112, 3, allows it)."""


@dataclass
class Outcome:
    """What became of a stream of bytes."""

    statuses: list[int]
    kept: list[int]
    has_ended: bool


def collected(pieces: Sequence[bytes]) -> Outcome:
    """Return what the collector makes of bytes that come in pieces."""
    world = World(partitions=1)
    side = world.connect()
    side.send(*pieces)
    world.pass_time(0.1)
    numbers = [number for _, number in world.producer.numbers()]
    return Outcome(side.statuses(), numbers, side.transport.has_ended)


def tokens(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [token.strip().lower() for key, value in headers if key == name for token in value.split(b",")]


def refusal_of(request: h11.Request) -> int | None:
    """Return the status that a head alone is refused with."""
    headers = [(bytes(name), bytes(value)) for name, value in request.headers]
    given_ = {name for name, _ in headers}
    length = int(next((value for name, value in headers if name == b"content-length"), b"0"))
    posts = request.target == b"/b"
    rules = (
        (b"upgrade" in given_ and b"upgrade" in tokens(headers, b"connection"), 400),
        (request.method == b"CONNECT", 400),
        (not posts and request.target not in PAGES, 404),
        (request.method != (b"POST" if posts else b"GET"), 405),
        (b"transfer-encoding" in given_, 411),
        (posts and b"content-length" not in given_, 411),
        (length > 65536, 413),
        (b"expect" in given_, 417),
        (bool(set(tokens(headers, b"sec-fetch-site")) - {b"same-origin", b"none"}), 403),
        ((b"sec-gpc", b"1") in headers, 400),
    )
    return next((status for holds, status in rules if holds), None)


def judged(data: bytes) -> tuple[Outcome, bool]:
    """Return what should become of bytes by h11, and whether it ended because h11 could not read on."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=2**20)
    server.receive_data(data)
    found = Outcome([], [], has_ended=False)
    target, body, last = b"", bytearray(), False
    while True:
        try:
            said = server.next_event()
        except h11.RemoteProtocolError:
            found.has_ended = True
            return found, True
        if isinstance(said, h11.Request):
            target, body, last = bytes(said.target), bytearray(), said.http_version != b"1.1"
            if (refused := refusal_of(said)) is not None:
                found.statuses.append(refused)
                found.has_ended = True
                return found, False
        elif isinstance(said, h11.Data):
            body += said.data
        elif isinstance(said, h11.EndOfMessage):
            number = GOOD.get(bytes(body)) if target == b"/b" else None
            if number is not None:
                found.kept.append(number)
            page = 503 if target == b"/readyz" else 200
            status = page if target != b"/b" else 400 if number is None else 204
            found.statuses.append(status)
            server.send(h11.Response(status_code=status, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            if last or server.our_state is not h11.DONE:
                found.has_ended = True
                return found, False
            server.start_next_cycle()
        else:
            return found, False


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Return data in pieces, cut at these places."""
    at = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(at)]


places = st.lists(st.integers(0, 2**16), max_size=12)
bodies = st.sampled_from([*GOOD, *GOOD, *BAD])
harmless = st.lists(
    st.sampled_from(
        [
            "User-Agent: curl/8.0",
            "accept: */*",
            "X-Empty:",
            "X-Long: " + "y" * 900,
            "Sec-Fetch-Site: same-origin",
            "sec-gpc: 0",
            "Cookie: a=b; c=d",
            "Connection: keep-alive",
            "x-tab:\tvalue\t",
            "X-Latin: \xe9",
        ]
    ),
    max_size=6,
)


@st.composite
def whole_requests(draw: st.DrawFn) -> bytes:
    """Return a stream of requests that any server reads alike."""
    stream = b""
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["post", "post", "post", "page", "other", "last"]))
        more = [*draw(harmless), *(["connection: close"] if kind == "last" else [])]
        if kind == "page":
            target = draw(st.sampled_from(["/livez", "/readyz", "/metrics"]))
            stream += post(b"", *more, method="GET", target=target)
        elif kind == "other":
            method, target = draw(
                st.sampled_from([("GET", "/b"), ("PUT", "/b"), ("POST", "/livez"), ("GET", "/"), ("POST", "/b?x=1")])
            )
            stream += post(draw(bodies), *more, method=method, target=target)
        else:
            stream += post(draw(bodies), *more)
    return stream


@given(whole_requests(), places)
@settings(max_examples=150)
def test_requests_are_read_as_h11_reads_them(data: bytes, at: list[int]) -> None:
    expected, stopped = judged(data)
    assert not stopped
    assert collected(cut(data, at)) == expected


LINES = (
    *["POST /b HTTP/1.1"] * 3, "POST /b HTTP/1.0", "POST /b HTTP/2.0", "POST /b HTTP/1.2", "POST /b HTTP/0.9",
    "POST /b http/1.1", "POST /b  HTTP/1.1", "POST /b HTTP/1.1 ", " POST /b HTTP/1.1", "post /b HTTP/1.1", "POST /b",
    "GET /livez HTTP/1.1", "GET /b HTTP/1.1", "CONNECT /b HTTP/1.1", "POST * HTTP/1.1", "POST http://h/b HTTP/1.1",
    "POST /b#f HTTP/1.1", "PRI * HTTP/2.0", "BREW /b HTTP/1.1", "", "\x00", "POST\t/b HTTP/1.1", "POST /b HTTP/1.10",
    "POST /b HTTP/01.1", "POST /b\x7f HTTP/1.1", "M-SEARCH /b HTTP/1.1",
)  # fmt: skip
HEADERS = (
    *["Host: a"] * 3, "host: b", "Host:", *["Content-Length: {length}"] * 3, "content-length: {length}",
    "Content-Length: 0{length}", "Content-Length: +{length}", "Content-Length: -1",
    "Content-Length: {length}, {length}", "Content-Length: {length} {length}", "Content-Length: 0x10",
    "Content-Length:", "Content-Length: 5",
    "Content-Length: 99999999999999999999", "Content-Length: 65537", "Content-Length : {length}", "Content_Length: 5",
    "Content-Length: {length}\x0b", "Content-Length\x00: 5", "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked", "Transfer-encoding: gzip", "Connection: close",
    "Connection: keep-alive", "Connection: upgrade", "Upgrade: h2c", "Expect: 100-continue",
    "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-GPC: 1", " folded: x", "\tfolded", "no colon",
    ": empty", "X: a\rb", "X: a\x00b", "X: \x01", "X: caf\xe9", "X\xe9: a", "X y: a", "X: a\x7f", "(): a",
    "X: {length}\r",
)  # fmt: skip
AFTER = (*[b""] * 6, b"\r\n", b"\n", b"0\r\n\r\n", b"x")


@st.composite
def hostile_requests(draw: st.DrawFn) -> bytes:
    """Return a stream of requests that servers read differently, or not at all."""
    stream = b""
    for _ in range(draw(st.integers(1, 3))):
        body = draw(bodies)
        lines = [draw(st.sampled_from(LINES)), *draw(st.lists(st.sampled_from(HEADERS), min_size=1, max_size=6))]
        end = draw(st.sampled_from(["\r\n"] * 12 + ["\n", "\r"]))
        head = end.join([*lines, "", ""]).replace("{length}", str(len(body)))
        stream += head.encode("latin-1") + body + draw(st.sampled_from(AFTER))
    return stream


@st.composite
def damaged_requests(draw: st.DrawFn) -> bytes:
    """Return a good stream with a few bytes changed, taken out or put in."""
    data = bytearray(draw(whole_requests()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@given(hostile_requests() | damaged_requests(), places)
@settings(max_examples=300)
@example(post(batch(1)) + b"\x00", [])
@example(post(batch(1), "transfer-encoding: chunked"), [])
@example(post(batch(1), "content-length: 5"), [])
def test_nothing_is_taken_that_h11_does_not_take(data: bytes, at: list[int]) -> None:
    assume(not SPACED.search(data))
    found = collected([data])
    assert collected(cut(data, at)) == found, "how bytes come in changes nothing"
    expected, _ = judged(data.lstrip(b"\r\n"))  # a server ignores empty lines before a request (RFC 9112, 2.2)
    if found.has_ended and found.statuses[-1] in REFUSALS:
        event("refused" if expected.has_ended else "stricter")
        before = found.statuses[:-1]
        assert before == expected.statuses[: len(before)]
    else:
        event("alike")
        assert found == expected
    assert found.kept == expected.kept[: len(found.kept)]
    assert len(found.kept) == found.statuses.count(204)


def test_more_than_one_space_after_the_method_changes_nothing() -> None:
    data = post(batch(1)).replace(b"POST /b", b"POST   /b")
    assert collected([data + post(batch(2))]) == Outcome([204, 204], [1, 2], has_ended=False)


def test_the_oracle_can_disagree() -> None:
    """A request in a request: who believes the other length would take number 2."""
    inner = post(batch(2))
    data = post(batch(1) + inner)
    assert judged(data)[0].kept == []
    assert judged(post(batch(1)) + inner)[0].kept == [1, 2]
    assert collected([data]).kept == []
    assert msgspec.json.decode(batch(2))["b"] == 2
