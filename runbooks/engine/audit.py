"""The audit log: records chained by their hashes, so that a later change to one of them shows.

The chain alone cannot show that its newest records were cut off or replaced: keep the hash that `append` returns
somewhere else, and give it to `verify_chain`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.engine.lines import LOCK_SECONDS, LineFile, canonical, complete_lines, make_directory, parse
from shopsphere.foundation.errors import ShopSphereError

START = "0" * 64
OWN_FIELDS = frozenset({"number", "at", "previous"})


class AuditError(ShopSphereError):
    """The audit log was changed, or is missing."""


def append(path: Path, facts: Mapping[str, Any]) -> str:
    """Add a record and return its hash when it is on the disk.

    Args:
        path: the log; created with its folder when it is not there.
        facts: JSON values; `number`, `at` and `previous` are added.

    Raises:
        AuditError: the last record is damaged, so that nothing can be chained to it.
        BusyError: another process held the log for `LOCK_SECONDS`.
        ValueError: the facts use a name that the log uses.
        WriteFailedError: it could not be written.
    """
    if taken := OWN_FIELDS & facts.keys():
        raise ValueError(f"names of the log itself: {', '.join(sorted(taken))}")
    make_directory(path.parent)
    with LineFile(path, create=None, seconds=LOCK_SECONDS) as file:
        count = len(file.lines)
        previous = _hash_of(path, count, file.lines[-1]) if count else START
        record = {"number": count + 1, "at": datetime.now(UTC).isoformat(), "previous": previous, **facts}
        file.append(record)
    return hashlib.sha256(canonical(record)).hexdigest()


def verify_chain(path: Path, *, head: str | None = None) -> int:
    """Check every record against the one before and return how many there are.

    A last line without its end, left by a kill in the middle of a write, is no record: the next `append` cuts it off.

    Args:
        path: the log.
        head: hash that the last record must have.

    Raises:
        AuditError: names the first broken record; or the log is missing, or its last record is not `head`.
    """
    if not path.exists():
        raise AuditError.build(
            "audit log: missing", expected=f"a file {path}", found="none", action="find out who removed it"
        )
    previous = START
    count = 0
    for count, line in enumerate(complete_lines(path.read_bytes()), 1):
        _require_link(path, count, line, previous)
        previous = hashlib.sha256(line).hexdigest()
    if head is not None and head != previous:
        raise _broken(path, count, expected=f"a last record with hash {head}", found=previous)
    return count


def _require_link(path: Path, number: int, line: bytes, previous: str) -> None:
    try:
        record = parse(line)
        exact = canonical(record) == line
    except ValueError as error:
        raise _broken(path, number, expected="a JSON object", found=str(error)) from error
    if not exact:
        raise _broken(path, number, expected="the record's canonical JSON", found="another spelling")
    if record.get("previous") != previous:
        raise _broken(path, number, expected=f"previous {previous}", found=str(record.get("previous")))
    if record.get("number") != number:
        raise _broken(path, number, expected=f"number {number}", found=str(record.get("number")))


def _hash_of(path: Path, number: int, line: bytes) -> str:
    try:
        return hashlib.sha256(canonical(parse(line))).hexdigest()
    except ValueError as error:
        raise _broken(path, number, expected="a JSON object", found=str(error)) from error


def _broken(path: Path, number: int, *, expected: str, found: str) -> ShopSphereError:
    return AuditError.build(
        f"audit log {path}: the chain is broken at record {number}",
        expected=expected,
        found=found,
        action="records from here on prove nothing; compare with a copy and find out who changed the file",
    )
