"""Writing files so that a power loss leaves either the old or the new one, also when two write at once."""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shopsphere.foundation.group_folders import make_folder
from shopsphere.foundation.locking import try_lock

_NEW = ".new"
_JUST_MADE = 10.0
"""Seconds for which an unlocked file may be a new one that its writer is about to lock."""


def write_whole(file: Path, text: str, *, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replace what is in `file` in one step, on the disk and not only in memory; of two writers the last one wins.

    Args:
        file: which.
        text: its new content.
        mode: who may do what with it.
        owner: numbers of its user and group; by default those of this process.
    """
    with _written_beside(file, text, mode) as beside:
        if owner:
            os.chown(beside, *owner)
        beside.replace(file)
        sync_directory(file.parent)


def secret_in(file: Path) -> str:
    """Return the secret kept in `file`; make one of 256 bits the first time, and only one, however many ask at once."""
    if not file.exists():
        with (
            _written_beside(file, secrets.token_urlsafe(32) + "\n", 0o600) as beside,
            suppress(FileExistsError),  # somebody was faster, and may have told others already
        ):
            file.hardlink_to(beside)
            sync_directory(file.parent)
    return file.read_text().strip()


def sync_directory(directory: Path) -> None:
    """Bring the names in a folder to the disk: a file whose name is not there is gone after a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _written_beside(file: Path, text: str, mode: int) -> Iterator[Path]:
    make_folder(file.parent)
    _remove_left(file)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=_NEW, dir=file.parent)
    beside = Path(name)
    with os.fdopen(descriptor, "w") as sink:  # open, and so locked, until the name is gone
        try:
            with suppress(OSError):  # not every file system has locks; without them nobody removes what is left
                fcntl.flock(sink, fcntl.LOCK_EX)
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
            beside.chmod(mode)
            yield beside
        finally:
            beside.unlink(missing_ok=True)


def _remove_left(file: Path) -> None:
    """Remove what writers that were killed have left beside a file: nobody holds a lock on it."""
    for left in file.parent.glob(f".{glob.escape(file.name)}.*{_NEW}"):
        with suppress(OSError), left.open() as source:  # gone meanwhile, or on a file system without locks
            if try_lock(source) and time.time() - left.stat().st_mtime > _JUST_MADE:
                left.unlink()
