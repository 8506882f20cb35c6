"""What clients may do to the door's process, and what the end of its agent does: real processes and sockets."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from free_port import free_port
from open_door import GATEWAY, STRANGER, OpenDoor, SaidSite

from runbooks.agent.door import server
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

AGENT = """
import sys, threading
from pathlib import Path
from runbooks.agent.doors import Doors
from runbooks.agent.published import Publisher
opened = Doors(databases=True, writes=True, because="a test")
Publisher(Path(sys.argv[1]), lambda: opened, lambda: {"site": "frankfurt"}, print).start()
print("says", flush=True)
threading.Event().wait()
"""
SLOW = 1020
"""Connections that left an agent without descriptors when it answered by itself."""


class Host:
    """An agent that says that writes are open, and its door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        config = folder / "agent.json"
        pods = {"pods": "127.0.3.0/24", "services": "127.0.4.0/24"}
        document = {"site": "frankfurt", "listen": "127.0.0.1", "port": self.port, "run": str(folder / "run")}
        # Keys of an agent's that are not for its door.
        config.write_text(json.dumps({**document, "pod_guard": pods, "pair": "rdc-a", "witness": ["http://x"]}))
        self.door = self.run("-m", "runbooks.agent.door", str(config))
        self.start_agent()
        wait_until(lambda: self.status() == 200, what="the door", seconds=60, interval=0.1)

    def run(self, *words: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True)

    def start_agent(self) -> None:
        self.agent = self.run("-c", AGENT, str(self.folder / "run"))
        assert self.agent.stdout
        assert self.agent.stdout.readline() == "says\n"

    def status(self, source: str = GATEWAY) -> int:
        """Ask as a gateway does; 0 for no answer. A gateway has a second, a busy machine of tests has more."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10, (source, 0)) as line:
                line.sendall(b"GET /writes HTTP/1.0\r\n\r\n")
                return int(line.makefile("rb").readline().split()[1])
        except (OSError, IndexError):
            return 0

    def connect(self, source: str) -> socket.socket:
        line = socket.socket()
        line.bind((source, 0))
        line.setblocking(False)
        line.connect_ex(("127.0.0.1", self.port))
        return line

    def stop(self) -> None:
        for each in (self.door, self.agent):
            each.send_signal(signal.SIGCONT)
            each.kill()
            each.wait(10)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    yield found
    found.stop()


def held(lines: list[socket.socket]) -> int:
    """Count those that the door has not turned away."""
    watched = select.poll()
    for line in lines:
        watched.register(line, select.POLLIN)
    return len(lines) - len(watched.poll(0))


def descriptors(process: subprocess.Popen[str]) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


@pytest.mark.requirement("nobody who asks the agent's door can keep its gateways from their answer")
def test_slow_connections_of_one_address(host: Host) -> None:
    before = descriptors(host.agent)
    with ExitStack() as lines:
        slow = [lines.enter_context(host.connect(STRANGER)) for _ in range(SLOW)]

        def left() -> int:
            for line in slow:
                with suppress(OSError):
                    line.send(b"G")
            assert host.status() == 200
            return held(slow)

        assert left() <= 32
        wait_until(lambda: not left(), what="the end of those that send a byte now and then", seconds=40, interval=0.3)
        assert descriptors(host.agent) == before
        assert descriptors(host.door) < 100


@pytest.mark.requirement("nobody who asks the agent's door can keep its gateways from their answer")
def test_strangers_of_many_addresses(host: Host) -> None:
    with ExitStack() as lines:
        slow = [lines.enter_context(host.connect(f"127.0.{9 + i // 200}.{1 + i % 200}")) for i in range(SLOW)]
        assert host.status() == 200
        assert 0 < held(slow) <= 64
        assert host.status(STRANGER) == 503, "turned away, not left waiting"
        assert [host.status() for _ in range(5)] == [200] * 5


def test_a_burst_of_questions(host: Host) -> None:
    """More at once than listen queue and places hold: everybody has an answer or is turned away, within a moment."""
    for _ in range(5):
        with ExitStack() as lines:
            asking = [lines.enter_context(host.connect(STRANGER)) for _ in range(400)]
            for line in asking:
                with suppress(OSError):
                    line.send(b"GET /writes HTTP/1.1\r\nHost: x\r\n\r\n")
            assert host.status() == 200, "a full listen queue costs the second after which TCP tries again"
    assert host.door.poll() is None


@pytest.mark.requirement("an agent that is gone opens nothing")
def test_the_agent_is_killed(host: Host) -> None:
    host.agent.kill()
    host.agent.wait(10)
    assert host.status() == 503, "at once"
    host.start_agent()
    wait_until(lambda: host.status() == 200, what="the new one's first word", seconds=30, interval=0.05)


@pytest.mark.requirement("an agent that is silent opens nothing")
def test_the_agent_hangs(host: Host) -> None:
    host.agent.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    wait_until(lambda: host.status() == 503, what="the door to close", seconds=40, interval=0.05)
    assert time.monotonic() - began > 0.5, "not at once: 3 s after its last word, which may be old on a busy machine"
    host.agent.send_signal(signal.SIGCONT)
    wait_until(lambda: host.status() == 200, what="the door to open again", seconds=30, interval=0.05)


def test_the_door_is_killed(host: Host) -> None:
    before = descriptors(host.agent)
    host.door.kill()
    host.door.wait(10)
    assert host.status() == 0
    assert host.agent.poll() is None
    assert descriptors(host.agent) == before


def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send in parts, and return the status line; an end of the connection that does not come is an error."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        with suppress(OSError):
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
        with suppress(ConnectionError):
            while part := line.recv(4096):
                answer += part
    return answer.split(b"\r\n")[0]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(server, "READ_SECONDS", 0.6)
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.6)
    site = SaidSite(tmp_path)
    site.speaks()
    with OpenDoor(tmp_path) as door:
        yield door.port
    site.publisher.stop()


POST = b"POST /writes HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"GET /writes HTTP/1.1\r\nHost: x\r\n", *[b"A: b\r\n"] * 60], b"408"),
        ([POST + b"Content-Length: 1000000000\r\n\r\n"], b"408"),
        ([CHUNKED], b"408"),
        ([CHUNKED, *[b"1\r\nx\r\n"] * 60], b"408"),
        ([], b"408"),
    ],
    ids=["headers", "a long body", "no body", "a body without end", "nothing"],
)
def test_a_request_has_seconds_as_a_whole(port: int, parts: list[bytes], status: bytes) -> None:
    line = talk(port, *parts, pause=0.03)
    assert line.split()[1:2] in ([status], []), "answered, or cut off while the client still spoke"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431"),
        (b"GET /writes HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20000, b"431"),
        (CHUNKED + b"f000\r\n" + b"a" * 0xF000, b"413"),
        (CHUNKED + b"1" * 20000, b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /writes HTTP/1.1\r\n\r\n", b"400"),
        (POST + b"Content-Length: 5\r\n\r\nhello", b"404"),
        (b"PUT /state HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"GET /writes HTTP/1.1\r\nHost: x\r\n\r\n" * 2, b"503"),
    ],
    ids=["line", "header", "body", "chunk", "tls", "host", "small body", "method", "two"],
)
def test_size_and_form_are_bounded(port: int, request_bytes: bytes, status: bytes) -> None:
    line = talk(port, request_bytes)
    assert line.split()[1:2] in ([status], []), "what is sent after the answer may take it away"
    assert talk(port, b"GET /writes HTTP/1.1\r\nHost: x\r\n\r\n").split()[1] == b"503", "the next one is answered"


def test_a_body_in_pieces_is_read(port: int) -> None:
    line = talk(port, CHUNKED, b"2\r\n{}\r\n", b"0\r\n\r\n", pause=0.01)
    assert line.split()[1] == b"404"
    waits = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert talk(port, waits).split()[1] == b"100"
