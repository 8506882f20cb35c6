"""The audit log: records chained by their hashes, so that a later change to one of them shows.

The chain alone cannot show that its newest records were cut off or replaced, nor that the file is gone: what `append`
returns is kept somewhere else, and compared with what `read_chain` returns.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.engine.lines import LOCK_SECONDS, LineFile, canonical, complete_lines, make_directory, parse
from shopsphere.foundation.errors import ShopSphereError

START = "0" * 64
_LOG = re.compile("[0-9a-f]{32}")
OWN_FIELDS = frozenset({"number", "at", "previous", "log"})


class AuditError(ShopSphereError):
    """The audit log was changed, or is missing."""


@dataclass(frozen=True)
class Chain:
    """An unbroken log.

    Attributes:
        log: its identity, random and made with it; of a log from before there were any, from its first record.
        hashes: of its records, in order.
    """

    log: str
    hashes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.hashes)

    @property
    def head(self) -> str:
        """Hash of the last record."""
        return self.hashes[-1] if self.hashes else START


@dataclass(frozen=True)
class Mark:
    """What a log was when a record was added: its identity, the number of records and the hash of the last one."""

    log: str
    count: int
    head: str


def append(path: Path, facts: Mapping[str, Any]) -> Mark:
    """Add a record and return what the log is when it is on the disk.

    Args:
        path: the log; created with its folder when it is not there.
        facts: JSON values; `number`, `at` and `previous` are added, and to the first record `log`.

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
        own = {"number": count + 1, "at": datetime.now(UTC).isoformat(), "previous": previous}
        record = {**own, **({} if count else {"log": uuid.uuid4().hex}), **facts}
        first = file.lines[0] if count else canonical(record)
        log = _identity(path, first)
        file.append(record)
    return Mark(log, count + 1, hashlib.sha256(canonical(record)).hexdigest())


def verify_chain(path: Path, *, head: str | None = None) -> int:
    """Check every record against the one before and return how many there are.

    Args:
        path: the log.
        head: hash that the last record must have.

    Raises:
        AuditError: names the first broken record; or the log is missing, or its last record is not `head`.
    """
    chain = read_chain(path)
    if head is not None and head != chain.head:
        raise _broken(path, chain.count, expected=f"a last record with hash {head}", found=chain.head)
    return chain.count


def read_chain(path: Path) -> Chain:
    """Check every record against the one before and return their hashes.

    A last line without its end, left by a kill in the middle of a write, is no record: the next `append` cuts it off.

    Raises:
        AuditError: names the first broken record; or the log is missing.
    """
    if not path.exists():
        raise AuditError.build(
            "audit log: missing", expected=f"a file {path}", found="none", action="find out who removed it"
        )
    hashes, log = [START], ""
    for number, line in enumerate(complete_lines(path.read_bytes()), 1):
        _require_link(path, number, line, hashes[-1])
        log = log or _identity(path, line)
        hashes.append(hashlib.sha256(line).hexdigest())
    return Chain(log, tuple(hashes[1:]))


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


def _identity(path: Path, first: bytes) -> str:
    """Return the identity of the log that begins with this record."""
    try:
        named = parse(first).get("log")
    except ValueError as error:
        raise _broken(path, 1, expected="a JSON object", found=str(error)) from error
    return str(named) if isinstance(named, str) and _LOG.fullmatch(named) else hashlib.sha256(first).hexdigest()[:32]


def _broken(path: Path, number: int, *, expected: str, found: str) -> ShopSphereError:
    return AuditError.build(
        f"audit log {path}: the chain is broken at record {number}",
        expected=expected,
        found=found,
        action="records from here on prove nothing; compare with a copy and find out who changed the file",
    )
