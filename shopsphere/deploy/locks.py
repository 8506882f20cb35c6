"""Locks that a dead process has left in a file backend."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path

from shopsphere.estate.paths import state_directory
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError


class StackLockedError(ShopSphereError):
    """Another run that is still alive works on the stack."""

    @classmethod
    def of(cls, stack: StackId, found: str) -> ShopSphereError:
        """Return the error of a stack; `found` says who has it."""
        return cls.build(
            f"{stack.label}: another run works on this stack",
            expected="no lock",
            found=found,
            action="wait for it; if that machine is gone for good, run `pulumi cancel` in the project folder",
        )


@dataclass(frozen=True)
class Lock:
    """Who holds a stack.

    Attributes:
        file: the lock itself.
        pid: process that took it, on `host`.
        user: whose process that is.
        host: name of the machine.
        since: when it was taken, as Pulumi wrote it.
    """

    file: Path
    pid: int
    user: str
    host: str
    since: str

    @property
    def is_stranded(self) -> bool:
        """Whether the process that took the lock is gone from this machine.

        If another program has the process number by now, the process counts as gone. A lock of another machine never
        counts as stranded.
        """
        if self.host != socket.gethostname():
            return False
        try:
            program = Path(f"/proc/{self.pid}/comm").read_text().strip()
        except OSError:
            return True
        return not program.startswith("pulumi")


def find_locks(stack: StackId, project: str, state: Path | None = None) -> tuple[Lock, ...]:
    """Return the locks on a stack in the lab's file backend."""
    root = state or state_directory(stack.jurisdiction)
    folder = root / ".pulumi" / "locks" / "organization" / project / stack.name
    return tuple(_read(file) for file in sorted(folder.glob("*.json")))


def release_stranded(stack: StackId, project: str, state: Path | None = None) -> tuple[Lock, ...]:
    """Remove the locks of dead processes and return them.

    Raises:
        StackLockedError: a living process holds the stack.
    """
    locks = find_locks(stack, project, state)
    for lock in locks:
        if not lock.is_stranded:
            raise StackLockedError.of(stack, f"process {lock.pid} of {lock.user} on {lock.host}, since {lock.since}")
    for lock in locks:
        lock.file.unlink(missing_ok=True)
    return locks


def _read(file: Path) -> Lock:
    try:
        content = json.loads(file.read_text())
        return Lock(file, int(content["pid"]), content["username"], content["hostname"], content["timestamp"])
    except (ValueError, KeyError, TypeError) as error:
        raise StackLockedError.build(
            "a stack is locked by nobody knows whom",
            expected="a lock that names its process",
            found=f"{file}, which cannot be read",
            action="if no `pulumi` is at work on this machine, remove that file; else wait for it",
        ) from error
