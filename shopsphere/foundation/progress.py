"""Named steps with times: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console

from shopsphere.foundation.typed_commands import as_typed


class _Terminal(Console):
    """Standard error, for a person; when that person goes away, or no line can be written, the work goes on."""

    def _check_buffer(self) -> None:
        """Write what is to be shown; what cannot be written, as into a log on a full disk, is left out."""
        try:
            super()._check_buffer()
        except OSError:
            self._buffer.clear()  # or all of it would be tried again with the next line

    def on_broken_pipe(self) -> None:
        """Say nothing any more: rich would end the process, in the middle of a change."""
        self.quiet = True
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let a standard stream that nobody reads lead nowhere, so that no later write to it fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


console = _Terminal(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line to the person at the terminal."""
    console.print(as_typed(text), markup=False)


@dataclass
class Line:
    """The line of a step that is running; its work may add a note, as in "already so"."""

    note: str = ""


@contextmanager
def step(name: str) -> Iterator[Line]:
    """Show `name` while its work runs, then how long it took; a failure is marked and passed on."""
    line = Line()
    start = time.monotonic()
    failed = False
    live = console.status(name) if console.is_terminal and sys.stderr.isatty() else None
    if live:
        live.start()
    try:
        yield line
    except BaseException:
        failed = True
        raise
    finally:
        if live:
            live.stop()
        mark = "FAILED" if failed else "ok"
        note = f" ({line.note})" if line.note else ""
        console.print(f"{mark:>6} {time.monotonic() - start:7.1f} s  {name}{note}", markup=False)
