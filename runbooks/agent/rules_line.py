"""The way from the door to the agent for questions about the kernel's rules: a socket in the agent's folder.

The agent answers them itself. Only it may load the fence, whose opening it orders: another process that loaded an older
order would open what the agent has closed meanwhile. The door needs no rights over the kernel then.
One caller is served after the other, in one thread, within a bound: what waits costs the agent one descriptor.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Protocol

from shopsphere.foundation.errors import ShopSphereError, one_line

SOCKET_FILE = "rules.sock"
TELL, LOAD = b"tell\n", b"load\n"
"""What the door may ask for."""
_WAITING = 4
_AGAIN_AFTER = 0.2
_SECONDS = 2.0
"""Bound on the caller's word, and on its taking of the answer."""

Document = Mapping[str, object]


class Rules(Protocol):
    """What the host's kernel enforces."""

    def tell(self) -> Document:
        """Return the rules; raises ShopSphereError when they cannot be told."""

    def load(self) -> Document:
        """Load again what is declared, and return its tables; raises ShopSphereError when that fails."""


class RulesLine:
    """The agent's end.

    Args:
        folder: the agent's own.
        rules: of the host.
        tell: gets a line when something fails that nobody foresaw.
    """

    def __init__(self, folder: Path, rules: Rules, tell: Callable[[str], None]) -> None:
        self._stopped = False
        path = folder / SOCKET_FILE
        path.unlink(missing_ok=True)  # of an earlier agent; the folder's lock says that none lives
        self._words = {TELL: rules.tell, LOAD: rules.load}
        self._tell = tell
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self._socket.listen(_WAITING)

    def start(self) -> None:
        """Answer in a thread of its own."""
        Thread(target=self._serve, name="rules", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._stopped = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                if self._stopped:
                    return
                time.sleep(_AGAIN_AFTER)  # no descriptor left, for example
                continue
            with line:
                try:
                    line.settimeout(_SECONDS)
                    line.sendall(self._answer(line.recv(16)))
                except OSError:
                    continue  # the door is gone, or slow
                except Exception as error:  # noqa: BLE001 a thread that ended would answer nobody until a restart
                    self._tell(f"rules: {type(error).__name__}: {one_line(error)}")

    def _answer(self, word: bytes) -> bytes:
        """Return the answer's status and document; an error's is such that a Kubernetes client shows it."""
        work = self._words.get(word)
        if work is None:
            return _said(400, {"message": f"asked for {word!r}, expected {TELL!r} or {LOAD!r}"})
        try:
            return _said(200, work())
        except ShopSphereError as error:
            return _said(503, {"message": one_line(error)})


def _said(status: int, document: Document) -> bytes:
    return json.dumps([status, document]).encode()
