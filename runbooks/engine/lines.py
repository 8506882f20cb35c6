"""Files of JSON lines that only grow: every line is on the disk before the next thing is done."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock, WaitExpiredError, wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import sync_directory
from shopsphere.foundation.group_folders import share, share_open
from shopsphere.foundation.locking import try_lock

LOCK_SECONDS = 5.0  # a record takes milliseconds; whoever holds a lock for longer was stopped in the middle


class WriteFailedError(ShopSphereError):
    """A record could not be brought to the disk; nothing of it is in the file."""


class BusyError(ShopSphereError):
    """Another process holds the file."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """Return the one way to write a record: sorted keys, no spaces, ASCII only.

    Raises:
        TypeError: a value has no JSON form.
        ValueError: a number has none (NaN, infinity).
    """
    plain = json.loads(json.dumps(record, allow_nan=False))  # keys become text before they are sorted
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def complete_lines(data: bytes) -> list[bytes]:
    """Split a file's content; a last line without its end is what a kill in the middle of a write left."""
    return data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]


def parse(line: bytes) -> dict[str, Any]:
    """Read one line.

    Raises:
        ValueError: it is no JSON object.
    """
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for all that is malformed
    return record


def make_directory(directory: Path) -> None:
    """Create a folder with its parents so that it is still there after a loss of power.

    Raises:
        WriteFailedError: it could not be created.
    """
    if directory.is_dir():
        return
    make_directory(directory.parent)
    try:
        directory.mkdir(exist_ok=True)
        share(directory)
        sync_directory(directory.parent)
    except OSError as error:
        raise _not_written(directory, "a folder", error) from error


def lock(descriptor: int, path: Path, *, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
    """Take the exclusive lock on an open file or folder; the kernel frees it when the process ends.

    Raises:
        BusyError: another holder kept it for `seconds`.
    """
    try:
        wait_until(
            lambda: try_lock(descriptor), what=f"the lock on {path}", seconds=seconds, interval=0.02, clock=clock
        )
    except WaitExpiredError as error:
        raise BusyError.build(
            f"{path.name}: in use",
            expected=f"no other process at it, or its end within {seconds:.0f} s",
            found=f"another process holds the lock on {path}",
            action="wait for that process; the kernel frees the lock when it ends",
        ) from error


class LineFile:
    """An open file of JSON lines, locked against other processes; a torn last line is cut off when it is opened.

    Args:
        path: the file; when it is created here, its owner alone reads it, and the group whose folder it is in.
        create: it must be new (True), must exist (False), or either (None).
        seconds: how long to wait for another process that holds it.
        clock: replaceable in tests.

    Raises:
        BusyError: another process holds it.
        WriteFailedError: it cannot be opened, or with `create` is not new.
    """

    def __init__(self, path: Path, *, create: bool | None, seconds: float = 0.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self.path = path
        self._writing = threading.Lock()  # a step's thread may remember something while the runner writes
        self._closed = False
        flags = {True: os.O_CREAT | os.O_EXCL, False: 0, None: os.O_CREAT}[create]
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | flags, 0o600)
        except OSError as error:
            raise _not_written(path, "a file open for writing, and no link", error) from error
        try:
            share_open(self._descriptor, path.parent)
            lock(self._descriptor, path, seconds=seconds, clock=clock)
            with os.fdopen(os.dup(self._descriptor), "rb") as source:
                data = source.read()
            self.lines = tuple(complete_lines(data))
            self._size = data.rfind(b"\n") + 1
            if self._size < len(data):
                os.ftruncate(self._descriptor, self._size)
                os.fsync(self._descriptor)
            if create is not False:
                sync_directory(path.parent)
        except BaseException as error:
            os.close(self._descriptor)
            if isinstance(error, OSError):
                raise _not_written(path, "a file that can be read, shared and cut", error) from error
            raise

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record and return when it is on the disk.

        Raises:
            WriteFailedError: it could not be written, as on a full disk.
        """
        data = canonical(record) + b"\n"
        with self._writing:
            try:
                self._write(data)
            except OSError as error:
                raise _not_written(self.path, f"{len(data)} B added", error) from error

    def _write(self, data: bytes) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the file was closed")
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):  # else a later record would be glued to the half of this one
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """Close the file and free its lock; closing twice is fine."""
        with self._writing:
            if not self._closed:
                self._closed = True
                os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _not_written(path: Path, expected: str, error: OSError) -> ShopSphereError:
    return WriteFailedError.build(
        f"{path}: could not be written",
        expected=expected,
        found=str(error),
        action="make room on the disk, or correct the path or its owner; then call the same command again",
    )
