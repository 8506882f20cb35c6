"""Files of a folder: data files and write-ahead logs of databases, logs, journals, state."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shopsphere.foundation.files import write_whole
from shopsphere.residency.place import PIECE, Seen
from shopsphere.residency.search import Anchored

_CLOCK_SLACK = 2.0
"""Seconds that a file system's clock may be behind."""
CONTROL_FILE = ".residency-control"
LONGEST_FILE = 1 << 34
"""Bytes that are read of one file; a longer one is a problem, and said to be."""


@dataclass
class Looked:
    """What every folder of one search needs to know.

    Attributes:
        since: seconds since 1970; a file that changed last before it is counted, not read.
        files: device, number and change time of those that were read: a volume is mounted at several places.
    """

    since: float
    files: set[tuple[int, int, int]] = field(default_factory=set)


class Folder:
    """Every regular file of a folder that has changed since the planting.

    A file's change time is the kernel's: whoever copies a file with its old dates cannot set it. Symbolic links are not
    followed, holes of sparse files are not read, and disks in files (`x.img`) are read where they are mounted (`x`).

    Args:
        name: how reports call it.
        path: of the folder.
        looked: shared with the other folders of the same search.
        kind: `files`, or `log`.
        deep: whether the folders in it belong to it.
    """

    shared = False

    def __init__(self, name: str, path: Path, looked: Looked, *, kind: str = "files", deep: bool = True) -> None:
        self.name, self.kind = name, kind
        self._path, self._looked, self._deep = path, looked, deep

    @contextmanager
    def control(self, word: str) -> Iterator[str]:
        """Put a file with the word into the folder."""
        file = self._path / CONTROL_FILE
        if not self._path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "no such folder", str(self._path))
        write_whole(file, f"{word}\n", mode=0o600)
        try:
            yield word
        finally:
            file.unlink(missing_ok=True)

    def look(self, anchored: Anchored) -> Seen:
        """Look at every file."""
        seen = Seen()
        for folder, folders, names in os.walk(self._path, onerror=lambda error: seen.note(str(error))):
            for name in names:
                self._look_at(Path(folder) / name, anchored, seen)
            if not self._deep:
                folders.clear()
        return seen

    def _look_at(self, file: Path, anchored: Anchored, seen: Seen) -> None:
        where = str(file.relative_to(self._path))
        try:
            facts = file.lstat()
            if not stat.S_ISREG(facts.st_mode) or (file.suffix == ".img" and file.with_suffix("").is_dir()):
                return
            if facts.st_ctime < self._looked.since - _CLOCK_SLACK:
                seen.unchanged += facts.st_size
                return
            known = (facts.st_dev, facts.st_ino, facts.st_ctime_ns)
            if known in self._looked.files:
                return
            self._looked.files.add(known)
            if facts.st_size > LONGEST_FILE:
                seen.note(f"{where}: longer than {LONGEST_FILE} bytes; only its beginning was looked at")
            with file.open("rb", buffering=0) as source:
                seen.look(where, pieces_of(source.fileno()), anchored)
        except FileNotFoundError:
            return  # removed meanwhile, as databases do
        except OSError as error:
            seen.note(f"{where}: {error.strerror or error}")


def pieces_of(descriptor: int) -> Iterator[bytes]:
    """Yield what is in a file; each hole as one zero byte, so that nothing is joined over it."""
    at = 0
    while at < LONGEST_FILE:
        begin = _next_data(descriptor, at)
        if begin is None:
            return
        if begin > at:
            yield b"\0"
        piece = os.pread(descriptor, PIECE, begin)
        if not piece:
            return
        yield piece
        at = begin + len(piece)


def _next_data(descriptor: int, at: int) -> int | None:
    """Return where data goes on; None after the last of it."""
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole, or the end
            return None
        return at  # a file system that knows no holes
