"""Progress of several stacks at once: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shopsphere.deploy.engine import Listener
from shopsphere.deploy.events import Violation
from shopsphere.foundation.progress import console, say

LINE_SECONDS = 10.0


@dataclass
class Step:
    """One named piece of work on one stack.

    Attributes:
        name: what people read.
        total: resources that the work will pass; None while unknown.
        done: resources passed so far.
        note: replaces nothing, adds a few words to the closing line.
    """

    name: str
    total: int | None = None
    done: int = 0
    note: str = ""
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)


class Display:
    """Shows steps of several threads; used as a context around them."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._lock = threading.Lock()

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the live part of the terminal while work runs."""
        if not console.is_terminal:
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as self._bars:
            yield
        self._bars = None

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[tuple[Step, Listener]]:
        """Show a step while its work runs, then how long it took; a failure is marked and passed on."""
        current = Step(name, total)
        bar = self._bars.add_task(name, total=total) if self._bars else None

        def advanced(done: int) -> None:
            current.done = done
            if self._bars and bar is not None:
                self._bars.update(bar, completed=done)
            else:
                self._line(current)

        def judged(violation: Violation) -> None:
            say(f"       {name.split(':')[0]}: {violation.describe()}")

        mark = "FAILED"
        try:
            yield current, Listener(advanced, judged)
            mark = "ok"
        finally:
            if self._bars and bar is not None:
                self._bars.remove_task(bar)
            note = f" ({current.note})" if current.note else ""
            say(f"{mark:>6} {time.monotonic() - current.started:7.1f} s  {name}{note}")

    def _line(self, current: Step) -> None:
        with self._lock:
            if time.monotonic() - current.said < LINE_SECONDS:
                return
            current.said = time.monotonic()
        of = f" of {current.total}" if current.total else ""
        say(f"   ... {time.monotonic() - current.started:7.1f} s  {current.name}: {current.done}{of} resources")
