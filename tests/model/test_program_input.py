"""What a program in a container reads is sent whole and in pieces, through the client's own code."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from kubernetes.client import Configuration
from kubernetes.stream.ws_client import WSClient
from websocket import ABNF, WebSocketConnectionClosedException

from shopsphere.clients import program_input
from shopsphere.clients.cluster_errors import ClusterUnreachableError, ProgramError

pytestmark = pytest.mark.requirement("a restored database is loaded whole or not at all")

STDIN, STDOUT, STDERR, ERROR = 0, 1, 2, 3
SUCCESS = (ERROR, json.dumps({"status": "Success"}))
FAILURE = (ERROR, json.dumps({"status": "Failure", "message": "command terminated with non-zero exit code"}))


class Program:
    """A web socket to a program: it reads until it is told to end, says something, and ends; or breaks."""

    connected = True

    def __init__(self, end: bytes, says: list[tuple[int, str]], breaks_after: int | None = None) -> None:
        self.sock, self._other = socket.socketpair()
        self.read = b""
        self._end, self._says, self._left = end, says, breaks_after
        self.timeout: float | None = None

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds

    def send(self, payload: bytes, opcode: int) -> None:
        assert opcode == ABNF.OPCODE_BINARY
        assert payload[0] == STDIN
        assert len(payload) <= 2**16 + 1
        if self._left is not None:
            if self._left == 0:
                self._other.send(b"x")
                raise WebSocketConnectionClosedException("gone")
            self._left -= 1
        self.read += payload[1:]
        if self.read.endswith(self._end):
            self._other.send(b"something to read")

    def recv_data_frame(self, _control: bool) -> tuple[int, ABNF]:
        if self._says:
            channel, text = self._says.pop(0)
            return ABNF.OPCODE_BINARY, ABNF(data=bytes([channel]) + text.encode())
        return ABNF.OPCODE_CLOSE, ABNF()

    def close(self, **_: Any) -> None:
        self.sock.close()
        self._other.close()


def fed(monkeypatch: pytest.MonkeyPatch, program: Program, pieces: Iterable[bytes], seconds: float = 2) -> str:
    session = WSClient.__new__(WSClient)
    session._connected, session._channels, session.binary = True, {}, False  # noqa: SLF001 - it only connects by itself
    session._all, session.sock = StringIO(), program  # noqa: SLF001
    session._returncode, session.newline = None, "\n"  # noqa: SLF001
    monkeypatch.setattr(program_input, "open_program", lambda *_, **__: session)
    return program_input.feed(Configuration(), ("data", "pod", "postgres"), ["psql"], pieces, seconds=seconds)


def test_all_pieces_arrive_as_bytes_and_the_answer_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(b"\\q\n", [(STDOUT, "all was "), (STDOUT, "read\n"), SUCCESS])
    large = bytes(range(256)) * 1000
    assert fed(monkeypatch, program, [large, b"", b"\\q\n"]) == "all was read\n"
    assert program.read == large + b"\\q\n"
    assert program.timeout == 120


def test_a_program_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(b"\\q\n", [(STDERR, "ERROR: no such role"), FAILURE])
    with pytest.raises(ProgramError, match="data/pod: psql: ERROR: no such role"):
        fed(monkeypatch, program, [b"GRANT\n", b"\\q\n"])


def test_one_that_ended_before_it_had_read_all_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="ended before it had read all"):
        fed(monkeypatch, Program(b"never", [SUCCESS], breaks_after=1), [b"one", b"two"])
    with pytest.raises(ProgramError, match="ERROR: stopped"):
        fed(monkeypatch, Program(b"never", [(STDERR, "ERROR: stopped"), FAILURE], breaks_after=1), [b"one", b"two"])


def test_a_line_that_breaks_is_no_end_and_silence_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="broke before its end"):
        fed(monkeypatch, Program(b"one", []), [b"one"])
    with pytest.raises(ProgramError, match="did not end within 1 s"):
        fed(monkeypatch, Program(b"never", []), [b"one"], seconds=1)


def test_a_source_that_fails_ends_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces() -> Iterable[bytes]:
        yield b"half"
        raise ClusterUnreachableError("the copy is gone")

    program = Program(b"never", [])
    with pytest.raises(ClusterUnreachableError, match="the copy is gone"):
        fed(monkeypatch, program, pieces())
    assert program.sock.fileno() == -1
