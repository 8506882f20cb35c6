"""One connection: HTTP/1.1 read by llhttp, answered in the order of the requests, without a task or future for each.

Only the gateway speaks to it, yet it believes nobody: what has more than one meaning is refused, and the connection
ended. Everything that a stranger can make larger or slower has a bound. tests/model/test_clicks_oracle.py compares what
is read here with what h11 reads of the same bytes.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

import httptools

from app.clicks.events import LARGEST_BODY
from app.clicks.heads import LARGEST_HEAD, MOST_HEADERS, OLD, PATH, Head, mark_of, problem_of
from app.clicks.reasons import Reason
from app.clicks.reception import Reception
from app.clicks.senders import LONGEST as LONGEST_NAME

LONGEST_LENGTH = 20
"""Digits of a length; h11 takes no more either."""
MOST_OWED = 16
"""Requests of one connection that may wait for their answers."""
REQUEST_SECONDS = 10.0
"""From the first byte of a request to its last one; as long may the other side take to read answers."""
IDLE_SECONDS = 120.0
"""Longer than the gateway keeps a connection, so that the gateway ends it and no request is lost to it."""
LINGER_SECONDS = 2.0
"""After the last answer, for what the other side has sent already: without it a reset could overtake the answer."""
_AROUND = 512
"""Bytes of a head that are neither its target nor names nor values."""
_RARE = frozenset(map(len, (b"host", b"expect", b"sec-gpc", b"transfer-encoding")))
"""Lengths of names that few other headers have."""

# What of a request has begun.
_NOTHING: Final = 0
_IN_HEAD: Final = 1
_IN_BODY: Final = 2


class Connection(asyncio.Protocol):
    """Reads the requests of one connection and writes their answers."""

    path = PATH
    __slots__ = (
        "_began", "_body", "_deaf", "_early", "_fields", "_final", "_head", "_held", "_hosts", "_latest", "_length",
        "_marks", "_name", "_next", "_parser", "_partial", "_reception", "_since", "_state", "_stuck", "_transport",
        "_url", "_whole",
    )  # fmt: skip

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._early: dict[int, bytes] = {}  # answers that wait for those before them
        self._latest = 0  # number of the request that was whole last
        self._next = 1  # number of the request that is answered next
        self._final = 0  # number of the request whose answer is the last one; 0 for none yet
        self._began = 0  # requests that have begun
        self._deaf = False  # nothing that comes is read any more
        self._stuck = False  # the other side does not read
        self._state: int = _NOTHING
        self._since = reception.now  # when the state began that look() judges
        self._partial = 0  # bytes of a head that is not whole, or of what came after the last request
        self._whole = 0  # bytes of requests that became whole with the data that is being read
        self._held = 0  # bytes of an unfinished body that the reception knows of
        self._url = self._body = self._name = b""
        self._length = self._head = self._fields = self._hosts = self._marks = 0

    @property
    def owed(self) -> int:
        """How many requests wait for their answers."""
        return self._latest - self._next + 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; where there are too many, the first answer is the last one."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._reception.opened(self):
            self._refuse(Reason.CONNECTIONS)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        if self._deaf:
            self._partial += len(data)
            if self._partial > 2 * LARGEST_BODY:
                self.abort()
            return
        began, self._whole = self._began, 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._reception.failed(error)
            self.abort()  # a number that nobody answers would keep all later ones waiting
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._deaf:
                self._refuse(Reason.HTTP)
        else:
            if self._state != _NOTHING and not self._deaf:
                self._bound(len(data), is_first=self._began != began)

    def eof_received(self) -> bool:
        """Note that the other side sends no more. Return whether it is still owed answers."""
        self._deaf = True
        self._state = _NOTHING
        self._release()
        if not self._final:
            self._final = self._latest
        return self.owed > 0

    def pause_writing(self) -> None:
        """Read nothing from a side that does not read."""
        self._stuck, self._since = True, self._reception.now
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._stuck, self._since = False, self._reception.now
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the loop gives it
        """End; what is written for this connection from now on is told to nobody."""
        self._transport = None
        self._deaf = True
        self._release()
        self._reception.closed(self)

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._deaf:
            return
        if self._stuck or self.owed >= MOST_OWED:
            self._refuse(Reason.PIPELINED)
            return
        self._began += 1
        self._state, self._since = _IN_HEAD, self._reception.now
        self._url = self._body = self._name = b""
        self._length = -1
        self._head = self._fields = self._hosts = self._marks = self._partial = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url
        self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        size = len(name)
        self._head += size + len(value)
        self._fields += 1
        if size == 14:  # noqa: PLR2004 most names need no further look
            name = name.lower()
            if name == b"content-length":
                self._length = int(value) if len(value) <= LONGEST_LENGTH else LARGEST_BODY + 1
            elif name == b"sec-fetch-site":
                self._marks |= mark_of(name, value)
        elif size == 10:  # noqa: PLR2004
            if name.lower() == b"user-agent":
                self._name = value[:LONGEST_NAME]
        elif size in _RARE:
            name = name.lower()
            self._hosts += name == b"host"
            self._marks |= mark_of(name, value)

    def on_headers_complete(self) -> None:
        """Refuse a request for what its head says, before its body is read."""
        if self._deaf:
            return
        self._state = _IN_BODY
        if (
            self._url == self.path
            and not self._marks
            and 0 <= self._length <= LARGEST_BODY
            and self._head <= LARGEST_HEAD
            and self._fields <= MOST_HEADERS
            and self._hosts == 1
            and self._parser.get_method() == b"POST"
            and self._parser.get_http_version() == "1.1"
            and not self._parser.should_upgrade()
        ):
            return
        if (reason := self._judge()) is not None:
            self._refuse(reason)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if not self._deaf:
            self._body += body  # LARGEST_BODY at the most, so that copying has a bound as well

    def on_message_complete(self) -> None:
        """Give a whole request to the reception."""
        if self._deaf:
            return
        self._state, self._since = _NOTHING, self._reception.now
        self._latest = number = self._latest + 1
        self._whole += self._head + 3 * self._fields + len(self._body)  # a little less than it was
        if self._marks & OLD or not self._parser.should_keep_alive():
            self._deaf, self._final = True, number
        body, self._body = self._body, b""
        if self._held:
            self._release()
        if self._url == self.path:
            self._reception.take(self, number, body, self._name)
        else:
            self._put(number, self._reception.page(self._url, last=self._is_last(number)))

    def answer(self, number: int, reason: Reason | None) -> None:
        """Answer the request with this number: None when its batch is written, else why it is not."""
        if self._transport is not None:
            self._put(number, self._reception.outcome(reason, last=self._is_last(number)))

    def look(self, now: float) -> None:
        """End what has taken too long."""
        if self._transport is None:
            return
        quiet = now - self._since
        if self._stuck:
            if quiet > REQUEST_SECONDS:
                self.abort()
        elif self._state != _NOTHING and not self._deaf:
            if quiet > REQUEST_SECONDS:
                self._refuse(Reason.SLOW)
        elif self.owed == 0 and quiet > (LINGER_SECONDS if self._deaf else IDLE_SECONDS):
            self._transport.close()

    def leave(self) -> None:
        """End as soon as nothing is owed; a request that is not whole by now is refused."""
        if self._transport is None or self._deaf:
            return
        if self._state != _NOTHING:
            self._refuse(Reason.LEAVING)
        elif self.owed == 0:
            self._transport.close()

    def abort(self) -> None:
        """End at once; what is owed is written nowhere."""
        transport, self._transport, self._deaf = self._transport, None, True
        if transport is not None:
            transport.abort()

    def _judge(self) -> Reason | None:
        """Return why the head of the request is refused."""
        version = self._parser.get_http_version()
        self._marks |= OLD if version == "1.0" else 0
        method, upgrades = self._parser.get_method(), self._parser.should_upgrade()
        sizes = (self._length, self._head, self._fields, self._hosts)
        return problem_of(Head(method, self._url, version, upgrades, *sizes, self._marks), self.path)

    def _bound(self, size: int, *, is_first: bool) -> None:
        """Refuse a request that is not whole and larger than it may be; `size` is that of the data that came last."""
        if self._state == _IN_BODY:
            grown = len(self._body) - self._held
            self._held += grown
            if not self._reception.hold(grown):
                self._refuse(Reason.FULL)
            return
        # The parser keeps a name or value that is not whole, and does not say how long it is.
        self._partial += max(size - self._whole, 0) if is_first else size
        if self._partial > LARGEST_HEAD + _AROUND:
            self._refuse(Reason.HEAD)

    def _is_last(self, number: int) -> bool:
        """Whether the answer to this request ends the connection."""
        if self._reception.leaving and number == self._latest and self._state == _NOTHING and not self._final:
            self._final, self._deaf = number, True
        return number == self._final

    def _refuse(self, reason: Reason) -> None:
        """Answer a request that is not read to its end, and read nothing more."""
        self._deaf, self._partial = True, 0
        self._release()
        self._latest += 1
        self._final = self._latest
        if self._transport is not None:
            self._put(self._latest, self._reception.outcome(reason, last=True))

    def _put(self, number: int, answer: bytes) -> None:
        """Write an answer when all before it are written."""
        if self._transport is None:
            return
        if number != self._next:
            self._early[number] = answer
            return
        self._transport.write(answer)
        self._next += 1
        while self._early and (following := self._early.pop(self._next, None)) is not None:
            self._transport.write(following)
            self._next += 1
        if self._state == _NOTHING or self._deaf:  # an answer makes no later request younger
            self._since = self._reception.now
        if 0 < self._final < self._next:
            self._partial = 0
            self._transport.write_eof()

    def _release(self) -> None:
        self._reception.hold(-self._held)
        self._held = 0
        self._body = b""
