"""Whether a stack was deployed anew, or is being deployed: a look that costs little and reads no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shopsphere.deploy.environment import variables
from shopsphere.deploy.locks import find_locks
from shopsphere.deploy.opening import project_name
from shopsphere.deploy.programs import find_program
from shopsphere.estate.stack import StackId
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.process import run

HISTORY_SECONDS = 60.0
"""A backend that is no folder is asked for its history so seldom (s): each time is a process of half a second."""
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class StateLook:
    """A stack's state at one moment.

    Attributes:
        version: another one after each deployment; of a backend in a folder also after each step of one.
        held_by: who deploys now; empty where nobody does, or where the backend does not say.
    """

    version: str
    held_by: str = ""


Look = Callable[[], StateLook]


class StateVersionError(ShopSphereError):
    """A stack's state cannot be looked at."""


def look_of(stack: StackId, clock: Clock = SYSTEM_CLOCK) -> Look:
    """Return the look at a stack: at its files, where its backend is a folder, else at its history.

    Raises:
        ShopSphereError: nobody said where the state is kept.
    """
    backend = variables(stack)["PULUMI_BACKEND_URL"]
    if backend.startswith("file://"):
        folder, project = Path(unquote(urlsplit(backend).path)).expanduser(), project_name(stack)
        return lambda: look_at_folder(stack, project, folder)
    return _History(stack, clock).look


def look_at_folder(stack: StackId, project: str, folder: Path) -> StateLook:
    """Look at a stack in a backend that is a folder.

    A lock that a dead process left is none: it would hide everything.

    Raises:
        StateVersionError: there is no state.
        StackLockedError: there is a lock that cannot be read.
    """
    files = sorted((folder / ".pulumi" / "stacks" / project).glob(f"{stack.name}.json*"))
    written = [(each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in files if each.suffix != ".bak"]
    if not written:
        raise StateVersionError.build(
            f"{stack.label}: its stack has no state",
            expected=f"{stack.name}.json of the project {project} in {folder}",
            found="no such file",
            action=f"deploy it: `shopsphere up {stack.label}`",
        )
    held = [lock for lock in find_locks(stack, project, folder) if not lock.is_stranded]
    return StateLook(str(written), f"process {held[0].pid} of {held[0].user} on {held[0].host}" if held else "")


class _History:
    def __init__(self, stack: StackId, clock: Clock) -> None:
        self._stack, self._clock = stack, clock
        self._known: StateLook | None = None
        self._asked = 0.0

    def look(self) -> StateLook:
        if self._known is None or self._clock.monotonic() - self._asked >= HISTORY_SECONDS:
            self._known, self._asked = self._ask(), self._clock.monotonic()
        return self._known

    def _ask(self) -> StateLook:
        stack = self._stack
        words = ("stack", "history", "--json", "--page-size", "1", "--stack", stack.name, "--non-interactive")
        done = run(
            [find_program("pulumi"), *words],
            cwd=stack.folder,
            env=variables(stack),
            seconds=_ANSWER_SECONDS,
            check=False,
        )
        try:
            last = json.loads(done.stdout if not done.code else "[]")[0]
            return StateLook(f"{last['startTime']} {last['endTime']}")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StateVersionError.build(
                f"{stack.label}: the history of {stack.name} cannot be read",
                expected="a stack that was deployed, and its backend within reach",
                found=one_line(done.stderr)[-300:] or "no entry",
                action=f"`shopsphere doctor {stack.label}` says what is missing",
            ) from error
