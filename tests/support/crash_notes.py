"""Where a process of tests that dies of a signal leaves what it was doing: told with the failures, at the end.

Python writes it to standard error, far above the end of a long log, without saying which process it was.
"""

from __future__ import annotations

import faulthandler
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.workermanage import WorkerController

FOLDER = "crash_notes"
LINES = 60
"""What is told of each process: the signal and the thread it met come first."""


class CrashNotes:
    """The plugin: of the process that deals tests out, and of each that runs them."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crash-notes-"))

    def pytest_configure_node(self, node: WorkerController) -> None:
        node.workerinput[FOLDER] = str(self._folder)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name, note in self.notes():
            terminalreporter.section(f"process {name} was ended by a signal")
            lines = note.splitlines()
            for line in lines[:LINES]:
                terminalreporter.line(line)
            if lines[LINES:]:
                terminalreporter.line(f"({len(lines) - LINES} more lines)")

    def pytest_unconfigure(self) -> None:
        for file in self._folder.iterdir():
            file.unlink()
        self._folder.rmdir()

    def notes(self) -> list[tuple[str, str]]:
        """Return the name of each process that left a note, and its text."""
        found = ((file.name, file.read_text(errors="replace")) for file in sorted(self._folder.iterdir()))
        return [(name, text) for name, text in found if text]


class CrashNote:
    """The plugin of a process that runs tests: faults are written to its file, not to standard error."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._file = Path(given[FOLDER], given["workerid"]).open("w")  # noqa: SIM115  # as long as the process lives

    def pytest_sessionstart(self) -> None:
        """After pytest's own plugin, which sends faults to standard error."""
        faulthandler.enable(self._file)

    def pytest_unconfigure(self) -> None:
        faulthandler.disable()
        self._file.close()


def plugin_of(config: pytest.Config) -> CrashNotes | CrashNote:
    """Return the plugin for this process."""
    given = getattr(config, "workerinput", None)
    return CrashNote(given) if given else CrashNotes()
