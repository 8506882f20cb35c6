"""Progress of several stacks at once: bars on a terminal, lines elsewhere; always on standard error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from shopsphere.deploy.listening import (
    Event,
    Judged,
    Noted,
    PlanBegan,
    RegionFailed,
    RegionLeftOut,
    Step,
    StepAdvanced,
    StepBegan,
    StepEnded,
)
from shopsphere.foundation.progress import console, say

LINE_SECONDS = 10.0
"""At least this long between two lines about one step."""


class Display:
    """Shows what a deployment tells; used as a context around it."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[Step, TaskID] = {}
        self._began: dict[Step, float] = {}
        self._said: dict[Step, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def showing(self) -> Iterator[Display]:
        """Keep the live part of the terminal while work runs."""
        if not console.is_terminal:
            yield self
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        try:
            with Progress(*columns, console=console, transient=True) as self._bars:
                yield self
        finally:
            self._bars = None

    def tell(self, event: Event) -> None:
        """Show one event."""
        match event:
            case PlanBegan():
                say(f"{event.verb}: {event.plan.describe()}")
            case StepBegan():
                self._begin(event.step)
            case StepAdvanced():
                self._advance(event.step, event.done)
            case StepEnded():
                self._end(event)
            case Judged():
                say(f"       {event.step.stack}: {event.violation.describe()}")
            case Noted():
                say(f"       {event.about}: {event.text}")
            case RegionFailed():
                say(f"error: {event.region}: {event.error}")
            case RegionLeftOut():
                say(f"       {event.region}: left out, because {event.reason}")

    def _begin(self, step: Step) -> None:
        with self._lock:
            self._began[step] = self._said[step] = time.monotonic()
            if self._bars:
                self._tasks[step] = self._bars.add_task(step.name, total=step.total)

    def _advance(self, step: Step, done: int) -> None:
        with self._lock:
            now = time.monotonic()
            if self._bars and step in self._tasks:
                self._bars.update(self._tasks[step], completed=done)
                return
            if now - self._said.get(step, now) < LINE_SECONDS:
                return
            self._said[step] = now
            seconds = now - self._began[step]
        of = f" of {step.total}" if step.total else ""
        say(f"   ... {seconds:7.1f} s  {step.name}: {done}{of} resources")

    def _end(self, event: StepEnded) -> None:
        with self._lock:
            task = self._tasks.pop(event.step, None)
            if self._bars and task is not None:
                self._bars.remove_task(task)
        note = f" ({event.note})" if event.note else ""
        say(f"{'ok' if event.succeeded else 'FAILED':>6} {event.seconds:7.1f} s  {event.step.name}{note}")
