"""A collector without a loop, a socket or a broker: its clock is a number and its connections are lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import h11
from memory_producer import MemoryProducer

from app.clicks.intake import Intake
from app.clicks.protocol import Connection
from app.clicks.reception import Reception
from app.clicks.settings import Bounds

TAB = "0123456789abcdef"
NOW_MS = 1_764_500_000_000
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def batch(number: int = 1, *, tab: str = TAB, events: Iterable[dict[str, Any]] | None = None, **more: Any) -> bytes:
    """Return a batch as a browser sends it."""
    e = [{"t": "view", "at": NOW_MS, "q": 1, "p": "tidal-rings-tee"}] if events is None else list(events)
    return json.dumps({"v": 1, "tab": tab, "b": number, "sent": NOW_MS, "c": 1, "e": e, **more}).encode()


def post(body: bytes, *more: str, target: str = "/b", method: str = "POST") -> bytes:
    """Return a request as a gateway sends it."""
    lines = [f"{method} {target} HTTP/1.1", "host: www.shopsphere.test", f"content-length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


class MadeTransport:
    """What a connection writes to."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_closed = self.is_aborted = self.has_ended = self.is_paused = False

    def write(self, data: bytes) -> None:
        assert not self.has_ended, "an answer after the last one"
        self.written += data

    def write_eof(self) -> None:
        assert not self.has_ended
        self.has_ended = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class Side:
    """The other side of a connection."""

    def __init__(self, reception: Reception, kind: type[Connection] = Connection) -> None:
        self.transport = MadeTransport()
        self.connection = kind(reception)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.data_received(piece)

    def answers(self) -> list[h11.Response]:
        """Return the answers that came whole, as h11 reads them."""
        client = h11.Connection(h11.CLIENT)
        if self.transport.written:  # for h11, no bytes are the end
            client.receive_data(bytes(self.transport.written))
        found: list[h11.Response] = []
        while True:
            if client.our_state is h11.IDLE:
                client.send(h11.Request(method="POST", target="/", headers=[("host", "x")]))
                client.send(h11.EndOfMessage())
            event = client.next_event()
            if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
                return found
            if isinstance(event, h11.Response):
                found.append(event)
            if isinstance(event, h11.EndOfMessage):
                if client.their_state is not h11.DONE:
                    assert client.trailing_data[0] == b"", "bytes after the last answer"
                    return found
                client.start_next_cycle()

    def statuses(self) -> list[int]:
        return [each.status_code for each in self.answers()]

    def header(self, name: str) -> str:
        """Return a header of the last answer."""
        return dict(self.answers()[-1].headers).get(name.encode(), b"").decode()


class World:
    """A collector and its clock."""

    def __init__(self, **bounds: int) -> None:
        self.producer = MemoryProducer()
        self.time = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.intake = Intake(
            self.producer,
            Bounds(**bounds),
            lambda seconds, act: self.due.append((self.time + seconds, act)),
            clock=lambda: self.time,
            wall=lambda: NOW_MS / 1000 + self.time - 100,
        )

    def connect(self) -> Side:
        return Side(self.intake)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with all that is due in it."""
        until = self.time + seconds
        while self.due and min(at for at, _ in self.due) <= until:
            at, act = min(self.due, key=lambda each: each[0])
            self.due.remove((at, act))
            self.time = max(self.time, at)
            act()
        self.time = until

    def second(self) -> None:
        """Let a second pass, with what comes once a second."""
        self.pass_time(1)
        self.intake.second()
        self.pass_time(0.02)
