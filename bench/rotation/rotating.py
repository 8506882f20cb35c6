"""A rotation as its operator gives it: begun, killed in a step with everything that it started, and gone on with."""

import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import IO, Any

from command import SHOPSPHERE, CommandFailedError

from runbooks.engine import Journal, RunRecord, Step
from runbooks.engine.crash import VARIABLE, Point
from runbooks.engine.records import Event, Kind
from runbooks.rotation.records import ALL, ROTATIONS
from runbooks.rotation.run import steps_of
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.witness.client import Witness

STEP_SECONDS, ROTATION_SECONDS, LOCK_SECONDS = 1500.0, 3600.0, 60.0
"""Longest waits (s): for a step to be reached, for a rotation to end, for a dead operator's lock to run out."""
_LOOK = 0.1
_TURN, _TURN_LATEST, _LATEST = 600.0, 60.0, 3.0
"""A step with a bound of so many seconds is a site's turn; how long after its beginning a step is killed at the latest.

A site's turn under load is a preview of 10 to 20 s, then a deployment of its pods.
"""
_BEGINNINGS = frozenset({Kind.RUN_STARTED, Kind.RUN_RESUMED})
_ENOUGH = frozenset({Kind.STEP_ACTED, Kind.STEP_VERIFIED, Kind.STEP_FAILED})


def attempts(record: RunRecord | None) -> int:
    """How often a run was begun or gone on with."""
    return sum(each.kind in _BEGINNINGS for each in record.events) if record else 0


def last_of(record: RunRecord, step: str) -> Event | None:
    """The last line about a step since the run was begun or gone on with; None where it has not come to it."""
    own: list[Event] = []
    for event in record.events:
        own = [] if event.kind in _BEGINNINGS else [*own, event]
    return next((each for each in reversed(own) if each.fields.get("step") == step), None)


def is_in(event: Event | None) -> bool:
    """Whether a step is being done, or was: its act was called, or there was nothing to do."""
    return event is not None and event.kind is not Kind.STEP_STARTED


def is_over(event: Event | None) -> bool:
    """Whether a step's act has come to its end, so that a later kill would hit the next step."""
    return event is not None and event.kind in _ENOUGH


def processes_of(session: int, listing: Path = Path("/proc")) -> list[int]:
    """Processes of a session, also those that made a group of their own, as an engine's plugins do."""
    found = []
    for entry in listing.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[3]) == session:
                    found.append(int(entry.name))
    return sorted(found)


class RotatingOperator:
    """Who renews one kind of secret of a pair.

    Args:
        witness: of the pair; says when a dead operator's lock has run out.
        kind: of the secrets.
        chance: decides when in a step the kill comes.
    """

    def __init__(self, witness: Witness, kind: str, chance: Random) -> None:
        self._witness, self._kind, self._chance = witness, kind, chance
        self.records = records_directory(Environment.LAB) / ROTATIONS
        self._begun = False
        self.kills: list[dict[str, Any]] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that this kind goes through."""
        return steps_of(self._kind).steps

    def killed_in(self, step: Step) -> None:
        """Begin or go on, and kill it while it is in a step; notes where it was.

        Raises:
            CommandFailedError: it ended by itself before it had come to the step.
            WaitExpiredError: it did not come to the step in time.
        """
        if self._begun and self.left() is None:
            return  # the kill before came after the last line: there is nothing to go on with
        before = attempts(self.left())
        # A step that only looks takes a moment: the engine's own crash point meets it.
        with self._given(f"{step.number}:{Point.VERIFIED}" if step.act is None else "") as (process, said):
            reached = self._reached(process, said, step, before)
            if reached is not None:
                delay = self._chance.uniform(0, _TURN_LATEST if step.seconds >= _TURN else _LATEST)
                end = time.monotonic() + delay
                while time.monotonic() < end and not is_over(self._now(step, before)) and process.poll() is None:
                    time.sleep(_LOOK)
            seconds = time.monotonic() - reached if reached is not None else 0.0
            kill_all_of(process)
            last = self._now(step, before)
        self.kills.append(
            {"step": step.name, "after": str(last.kind) if last else "ended", "seconds": round(seconds, 1)}
        )

    def end(self) -> None:
        """Begin, or go on as often as an operator has to, until the rotation is over.

        Raises:
            CommandFailedError: it was refused or stopped; nobody killed it.
        """
        if self._begun and self.left() is None:
            return
        with self._given() as (process, said):
            try:
                code = process.wait(ROTATION_SECONDS)
            except subprocess.TimeoutExpired:
                kill_all_of(process)
                code = -9
            if code:
                raise CommandFailedError(f"rotate, only {self._kind}: code {code}\n{_text(said)[-1500:]}")

    def left(self) -> RunRecord | None:
        """What is unfinished of the pair's rotations."""
        return Journal.unfinished(self.records, pair=self._witness.pair)

    def _now(self, step: Step, before: int) -> Event | None:
        """The last line about a step in this attempt; of a run that has ended meanwhile, of its last attempt."""
        record = self.left()
        if record is None:
            return None
        return last_of(record, step.name) if attempts(record) > before else None

    def _reached(self, process: "subprocess.Popen[str]", said: IO[str], step: Step, before: int) -> float | None:
        """When it came to a step (s of the monotonic clock); None where it has died or ended well there already."""
        end = time.monotonic() + STEP_SECONDS
        while time.monotonic() < end:
            if step.act is not None and is_in(self._now(step, before)):
                return time.monotonic()
            code = process.poll()
            if code == 0 or (code == -signal.SIGKILL and step.act is None):
                return None
            if code is not None:
                text = _text(said)[-1500:]
                raise CommandFailedError(f"rotate, only {self._kind}: code {code} before {step.name}\n{text}")
            time.sleep(_LOOK)
        kill_all_of(process)
        raise CommandFailedError(f"rotate, only {self._kind}: did not come to {step.name} in {STEP_SECONDS:.0f} s")

    def _given(self, crash: str = "") -> "GivenCommand":
        wait_until(lambda: self._witness.rotated_by() is None, what="the dead operator's lock", seconds=LOCK_SECONDS)
        self._begun = True
        return GivenCommand(self._witness.pair, self._kind, crash)


class GivenCommand:
    """The command, in a session of its own; whatever is left of it is killed at the end of `with`."""

    def __init__(self, pair: str, kind: str, crash: str = "") -> None:
        self._environment = {**os.environ, **({VARIABLE: crash} if crash else {})}
        only = [] if kind == ALL else ["--only", kind]
        self._words = [SHOPSPHERE, "rotate", pair, *only, "--execute", "--sign-out", "--reason", "bench"]

    def __enter__(self) -> "tuple[subprocess.Popen[str], IO[str]]":
        self._said = tempfile.TemporaryFile("w+", prefix="rotation-")
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT, text=True,
            env=self._environment, start_new_session=True,
        )  # fmt: skip
        return self._process, self._said

    def __exit__(self, *_error: object) -> None:
        kill_all_of(self._process)
        self._said.close()


def kill_all_of(process: "subprocess.Popen[str]") -> None:
    """Kill it with all that it started, as a machine does that loses its power."""
    session = process.pid
    for _ in range(20):  # what is just being started is found at the next look
        left = [each for each in processes_of(session) if not is_dead(each)]
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if not left:
            break
        time.sleep(_LOOK)
    process.wait(30)


def is_dead(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _text(said: IO[str]) -> str:
    said.flush()
    said.seek(0)
    return said.read()


def finish_what_is_left(witness: Witness) -> None:
    """Go on with a rotation of the pair that an earlier run left unfinished, as its operator would.

    Raises:
        CommandFailedError: it cannot be finished.
    """
    left = Journal.unfinished(records_directory(Environment.LAB) / ROTATIONS, pair=witness.pair)
    if left is not None:
        RotatingOperator(witness, left.facts.variant or ALL, Random(0)).end()
