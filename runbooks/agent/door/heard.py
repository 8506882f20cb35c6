"""What the door hears of its agent: the file that the agent publishes, as far as it can be believed now."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.agent.config import Margins
from runbooks.agent.published import FORMAT, LOCK_FILE, SILENT_AFTER, STATE_FILE
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.foundation.locking import try_lock

_FRESH_SECONDS = float(Margins().lease)
"""As in `runbooks.agent.state`, whose imports are too many for this process."""


class SilentAgentError(NoAnswerError):
    """Nothing is known of what is open: the agent is not running, or has said nothing of late."""


@dataclass(frozen=True)
class Heard:
    """What an agent said last.

    Attributes:
        writes: the gateway lets requests through that change something.
        because: one line for people.
        state: the whole, as `/state` tells it.
    """

    writes: bool
    because: str
    state: dict[str, Any]


class StateFile:
    """The file of one agent.

    Args:
        folder: where the agent publishes.
        clock: replaceable in tests; the agent's own, as both run on one host.
    """

    def __init__(self, folder: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._file, self._lock, self._clock = folder / STATE_FILE, folder / LOCK_FILE, clock

    def look(self) -> Heard:
        """Return what the agent says of this moment.

        Raises:
            SilentAgentError: it is not running, is silent, or what it wrote cannot be read.
        """
        if not self._agent_lives():
            raise _silent("no agent that runs")
        try:
            document = self._document()
            age = self._clock.monotonic() - document["said_at"]
            if not 0 <= age < SILENT_AFTER:
                raise _silent(f"its last word, {age:.1f} s ago")
            return self._as_of_now(document, age)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _silent(f"nothing that can be read: {type(error).__name__}: {error}") from error

    def _as_of_now(self, document: dict[str, Any], age: float) -> Heard:
        """Return what was said `age` seconds ago as it is now."""
        ended = document["until"] is not None and self._clock.monotonic() >= document["until"]
        databases, writes, because = document["databases"], document["writes"], document["because"]
        if ended:
            databases, writes, because = False, False, f"the time for this is over: {because}"
        state = {**document["state"]}
        if "lease_seconds_left" in state:
            left = 0.0 if ended else max(0.0, state["lease_seconds_left"] - age)
            state["lease_seconds_left"] = round(left, 1)
        witness = state.get("witness")
        if witness and witness["seconds_ago"] is not None:
            ago = witness["seconds_ago"] + age
            answered = witness["answered"] and ago < _FRESH_SECONDS
            state["witness"] = {**witness, "seconds_ago": round(ago, 1), "answered": answered}
        doors = {"databases": databases is True, "writes": writes is True, "because": str(because)}
        return Heard(writes is True, str(because), {**doors, **state})

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._file.read_text())
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}, expected {FORMAT}")
        return document

    def _agent_lives(self) -> bool:
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except OSError:
            return False
        try:
            return not try_lock(lock)
        except OSError:
            return False
        finally:
            os.close(lock)


def _silent(found: str) -> ShopSphereError:
    return SilentAgentError.build(
        "nothing is known of what is open at this site",
        expected=f"its agent's word, not older than {SILENT_AFTER:.0f} s",
        found=found,
        action="look at the agent's log on this host, and start it",
    )
