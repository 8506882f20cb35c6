"""The journal of what was injected and has to be taken back: on the disk before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acts import Act, Hands

from shopsphere.foundation.files import write_whole

ABOUT, INJECTED, UNDONE = "about to", "injected", "undone"
_VERSION = 1


class JournalError(Exception):
    """The journal cannot be read, or what it names cannot be taken back."""


@dataclass(frozen=True)
class Entry:
    """One injection.

    Attributes:
        key: of it.
        place: site, `edge` or host.
        undo: takes it back.
        state: `about to`, `injected` or `undone`.
    """

    key: str
    place: str
    undo: tuple[Act, ...]
    state: str = ABOUT


class UndoJournal:
    """A file with the injections of one batch. It may hold what secrets were, so only its owner can read it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._entries: dict[str, Entry] = {}

    @classmethod
    def left(cls, file: Path) -> UndoJournal:
        """Return what a run has left behind; nothing where there is no file.

        Raises:
            JournalError: the file is something else.
        """
        journal = cls(file)
        if file.exists():
            try:
                told = json.loads(file.read_text())
                entries = [_entry(each) for each in told["entries"]] if told["version"] == _VERSION else None
            except (ValueError, KeyError, TypeError) as error:
                raise JournalError(
                    f"{file} cannot be read: {type(error).__name__}: {error}; look at it by hand"
                ) from error
            if entries is None:
                raise JournalError(f"{file} was written by another version of this program; look at it by hand")
            journal._entries = {each.key: each for each in entries}
        return journal

    @property
    def open_entries(self) -> list[Entry]:
        """What may still be there, the last one first."""
        return [each for each in reversed(self._entries.values()) if each.state != UNDONE]

    def about_to(self, entries: Sequence[Entry]) -> None:
        """Write down what is about to be injected.

        Raises:
            JournalError: something of before is still there.
        """
        if self.open_entries:
            raise JournalError(f"{len(self.open_entries)} injections of before were not taken back yet")
        self._entries = {each.key: each for each in entries}
        self._write()

    def note(self, key: str, state: str) -> None:
        """Write down how far one has come; the file goes with the last one."""
        self._entries[key] = replace(self._entries[key], state=state)
        if self.open_entries:
            self._write()
        else:
            self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        entries = [
            {"key": each.key, "place": each.place, "state": each.state, "undo": [act.as_json() for act in each.undo]}
            for each in self._entries.values()
        ]
        write_whole(self.file, json.dumps({"version": _VERSION, "entries": entries}), mode=0o600)


def _entry(told: dict[str, Any]) -> Entry:
    return Entry(told["key"], told["place"], tuple(map(Act.of, told["undo"])), told["state"])


def undo_entry(hands: Hands, entry: Entry) -> str:
    """Take one back, every step of it; return what went wrong."""
    answers = [hands.do(act) for act in entry.undo]
    return "; ".join(" ".join(each.said.split())[-200:] for each in answers if not each.done)


def recover(journal: UndoJournal, hands: Hands, is_clean: Callable[[str], bool], say: Callable[[str], None]) -> None:
    """Take back what a killed run has left.

    A step may fail because it was taken, or the injection never sent: then the place has to be free of drift.

    Raises:
        JournalError: something is still there; the journal stays.
    """
    failed: list[tuple[Entry, str]] = []
    for entry in journal.open_entries:
        problem = undo_entry(hands, entry)
        say(f"left by a run before: {entry.key}: {problem or 'taken back'}")
        if problem:
            failed.append((entry, problem))
        else:
            journal.note(entry.key, UNDONE)
    clean = {place: is_clean(place) for place in {entry.place for entry, _ in failed}}
    for entry, _ in failed:
        if clean[entry.place]:
            journal.note(entry.key, UNDONE)
    left = [f"{entry.key}: {problem}" for entry, problem in failed if not clean[entry.place]]
    if left:
        raise JournalError("cannot be taken back, take them back by hand and remove the journal:\n" + "\n".join(left))
