"""Heads of operators' audit logs, as a site keeps them on its own disk: no operator writes there.

Every head that was ever seen at the witness stays, also those that contradict each other. The file only grows, up to a
bound; when it is full, nothing is forgotten, and the agent says that it keeps no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from runbooks.engine.lines import LineFile, complete_lines, make_directory
from shopsphere.foundation.errors import one_line
from shopsphere.witness.heads import AuditHead, Heads

MOST_BYTES = 1024 * 1024
"""Bound on the file: about 3,500 heads, two for each run of an operator."""
MOST_LOGS = 32
TOLD_OF_EACH = 8
"""Heads of each log that the agent tells whoever asks, the newest ones; the file has all."""
LOOK_EVERY = 30.0
"""Seconds between two looks when no watch reports a change."""
_FILE_SECONDS = 1.0


class KeptHeads:
    """The file of one agent; used by one thread, and told to others.

    Args:
        file: on the agent's disk.
        ask: returns what the witness knows; raises ShopSphereError when it does not answer.
        most: bound on the file (B).
    """

    def __init__(self, file: Path, ask: Callable[[], Heads], *, most: int = MOST_BYTES) -> None:
        self._file, self._ask, self._most = file, ask, most
        self._full = False
        self._kept, self._unread = _read(file)
        self._newest = _newest(self._kept)  # made once: the agent publishes it every second

    def keep_heads(self) -> None:
        """Ask the witness, and keep what was not seen before.

        Raises:
            ShopSphereError: the witness does not answer, or the file cannot be written.
        """
        said, logs, full = {each.said for each in self._kept}, {each.log for each in self._kept}, False
        new = []
        for each in self._ask().known:
            if each.said in said:
                continue
            if each.log not in logs and len(logs) >= MOST_LOGS:
                full = True
                continue
            said.add(each.said)
            logs.add(each.log)
            new.append(each)
        for each in new:
            if not self._append(each):
                full = True
                break
            self._kept = (*self._kept, each)
            self._newest = _newest(self._kept)
        self._full = full

    def told(self) -> dict[str, object]:
        """Return what others may know, as JSON values: heads, oldest first, and what is wrong with the file."""
        problem = "its file is full, and it keeps no new ones" if self._full else self._unread
        return {"heads": self._newest, "problem": problem}

    def _append(self, head: AuditHead) -> bool:
        line = head.model_dump(mode="json")
        make_directory(self._file.parent)
        with LineFile(self._file, create=None, seconds=_FILE_SECONDS) as file:
            if self._file.stat().st_size + len(head.model_dump_json()) > self._most:
                return False
            file.append(line)
        return True


def _newest(kept: Sequence[AuditHead]) -> list[dict[str, object]]:
    """Return the newest heads of each log, as JSON values, oldest first."""
    counts: dict[str, int] = {}
    newest = []
    for each in reversed(kept):
        counts[each.log] = counts.get(each.log, 0) + 1
        if counts[each.log] <= TOLD_OF_EACH:
            newest.append(each.model_dump(mode="json"))
    return newest[::-1]


def read_heads(file: Path) -> Heads:
    """Return the heads in a file that an agent has kept, as its site's owner hands it out.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    known, unread = _lines(file.read_bytes())
    return Heads(known, (f"{unread} lines of {file}",) if unread else ())


def _read(file: Path) -> tuple[tuple[AuditHead, ...], str]:
    """Return the heads in the agent's own file, and what is wrong with it: no file keeps an agent from its start."""
    try:
        known, unread = _lines(file.read_bytes())
    except FileNotFoundError:
        return (), ""
    except OSError as error:
        return (), f"its file cannot be read: {error.strerror}"
    return known, f"{unread} lines of its file cannot be read" if unread else ""


def _lines(data: bytes) -> tuple[tuple[AuditHead, ...], int]:
    known, unread = [], 0
    for line in complete_lines(data):
        try:
            known.append(AuditHead.model_validate_json(line))
        except ValidationError:
            unread += 1
    return tuple(known), unread


def heads_told(state: object) -> Heads:
    """Return what an agent's state says of heads; what it does not say, or says otherwise, is unreadable."""
    told = state.get("audit") if isinstance(state, dict) else None
    if not isinstance(told, dict) or not isinstance(told.get("heads"), list):
        return Heads((), ("it keeps no heads: an agent of an earlier version",))
    known, wrong = [], [one_line(told["problem"])[:200]] if told.get("problem") else []
    for each in told["heads"][: MOST_LOGS * TOLD_OF_EACH]:
        try:
            known.append(AuditHead.model_validate(each))
        except ValidationError as error:
            wrong.append(f"a head that it tells: {error.error_count()} problems")
    return Heads(tuple(known), tuple(wrong))
