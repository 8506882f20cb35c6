"""What a program in a container prints arrives whole and in pieces, through the client's own code."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from kubernetes.client import Configuration
from kubernetes.stream.ws_client import WSClient
from websocket import ABNF

from shopsphere.clients import program_output
from shopsphere.clients.cluster_errors import ProgramError

STDOUT, STDERR, ERROR = 1, 2, 3
SUCCESS = (ERROR, json.dumps({"status": "Success"}))
FAILURE = (ERROR, json.dumps({"status": "Failure", "message": "command terminated with non-zero exit code"}))


class Frames:
    """A web socket that has received some frames, and then what it was told comes last."""

    connected = True

    def __init__(self, frames: list[tuple[int, str]], *, closes: bool) -> None:
        self.sock, self._other = socket.socketpair()
        self._other.send(b"something to read")
        self._frames, self._closes = frames, closes

    def recv_data_frame(self, _control: bool) -> tuple[int, ABNF]:
        if self._frames:
            channel, text = self._frames.pop(0)
            if not self._frames and not self._closes:
                self.sock.recv(100)  # silence from here on
            return ABNF.OPCODE_BINARY, ABNF(data=bytes([channel]) + text.encode())
        return ABNF.OPCODE_CLOSE, ABNF()

    def close(self, **_: Any) -> None:
        self.sock.close()
        self._other.close()


def output(monkeypatch: pytest.MonkeyPatch, *frames: tuple[int, str], closes: bool = True) -> Iterator[bytes]:
    session = WSClient.__new__(WSClient)
    session._connected, session._channels, session.binary = True, {}, False  # noqa: SLF001 - it only connects by itself
    session._all, session.sock = StringIO(), Frames(list(frames), closes=closes)  # noqa: SLF001
    session._returncode, session.newline = None, "\n"  # noqa: SLF001
    monkeypatch.setattr(program_output, "open_program", lambda *_, **__: session)
    return program_output.output_of(Configuration(), "data", "pod", "postgres", ["pg_dumpall"], seconds=2)


def test_all_of_a_long_output_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [(STDOUT, f"line {number}\n") for number in range(500)]
    pieces = list(output(monkeypatch, *lines, SUCCESS))
    assert b"".join(pieces) == b"".join(text.encode() for _, text in lines)
    assert len(pieces) > 100


def test_a_program_that_fails_says_why_and_what_came_before_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = output(monkeypatch, (STDOUT, "half of it"), (STDERR, "pg_dumpall: no such role"), FAILURE)
    assert b"half of it" in next(pieces)
    with pytest.raises(ProgramError, match="data/pod: pg_dumpall: pg_dumpall: no such role"):
        list(pieces)


def test_a_line_that_breaks_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="broke before its end"):
        list(output(monkeypatch, (STDOUT, "half of it")))


def test_a_program_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="did not end within 2 s"):
        list(output(monkeypatch, (STDOUT, "half of it"), closes=False))
