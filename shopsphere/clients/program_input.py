"""What a program in a container reads, piece by piece: a dump is larger than the memory should be."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from kubernetes import client
from kubernetes.stream.ws_client import ERROR_CHANNEL

from shopsphere.clients.cluster_errors import ProgramError, from_exec
from shopsphere.clients.conversation import BROKEN, exec_problem, open_program

_START_SECONDS = 15.0
_STALL_SECONDS = 120.0
"""A piece that is not taken for so long (s) is no piece that will be."""
_KEPT = 4_000_000
"""Characters of an answer that are kept, its end; what is longer is none that anybody asked for."""
_PIECE = 2**16
"""Bytes that are sent at once: one message of the line to a container."""


def feed(
    settings: client.Configuration,
    where: tuple[str, str, str],
    command: list[str],
    pieces: Iterable[bytes],
    *,
    seconds: float,
) -> str:
    """Return what a program prints that reads all pieces and then ends.

    The line has no way to say that nothing more comes, so that the last piece has to end the program.

    Args:
        settings: of the site's API.
        where: namespace, pod and container.
        command: the program and its arguments.
        pieces: what it reads.
        seconds: bound on the whole.

    Raises:
        ClusterError: it could not be started, failed, ended before it had read all, or did not end in time.
    """
    about = f"exec in {where[0]}/{where[1]}"
    try:
        session = open_program(settings, *where, command, seconds=_START_SECONDS, stdin=True)
    except BROKEN as error:
        raise from_exec(about, error) from error
    try:
        session.sock.settimeout(_STALL_SECONDS)
        told = _Told(session)
        end = time.monotonic() + seconds
        is_whole = _send(session, told, pieces, end)
        while session.is_open() and (left := end - time.monotonic()) > 0:
            told.hear(left)
        if session.is_open():
            raise ProgramError(f"{about}: {command[0]} did not end within {seconds:g} s")
    except BROKEN as error:
        raise from_exec(about, error) from error
    finally:
        with suppress(*BROKEN):
            session.close()
    if problem := exec_problem(told.ended):
        raise ProgramError(f"{about}: {command[0]}: {told.errors.strip() or problem}")
    if not is_whole:
        raise ProgramError(f"{about}: {command[0]} ended before it had read all")
    return told.output


class _Told:
    """What the program said so far."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.output = self.errors = self.ended = ""

    def hear(self, seconds: float) -> None:
        """Wait for something to be said, and keep it."""
        self._session.update(timeout=seconds)
        # In this order: each may take in another piece, and the last one forgets all that was ever said.
        self.errors = (self.errors + (self._session.read_stderr(timeout=0) or ""))[-_KEPT:]
        self.output = (self.output + (self._session.read_stdout(timeout=0) or ""))[-_KEPT:]
        self.ended += self._session.read_channel(ERROR_CHANNEL, timeout=0) or ""


def _send(session: Any, told: _Told, pieces: Iterable[bytes], end: float) -> bool:
    """Whether all pieces were sent; a program that ends before says why on another channel, which is heard later."""
    for piece in pieces:
        for at in range(0, len(piece), _PIECE):
            if not session.is_open() or time.monotonic() >= end:
                return False
            try:
                session.write_stdin(piece[at : at + _PIECE])
            except BROKEN:
                return False
            told.hear(0)
    return True
