"""Heads of operators' audit logs, kept at the witness: one key for each log, whose count never goes back.

A head says how many records a log had, and what the hash of the last one was. Whoever changes or cuts the log later
cannot change what others were told. The keys live beside a pair's record and not in it: a record is replaced by the
next writer, and two operators have two logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field, ValidationError

from shopsphere.foundation.exchanged import Exchanged, Words
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.store import Entry, Store, WitnessConflictError, put, unchanged

MOST_LOGS = 200
"""Keys that are read: one for each machine from which operators work."""
_ATTEMPTS = 3


class AuditHead(Exchanged):
    """What a log was at a moment."""

    log: str = Field(pattern=r"^[0-9a-f]{32}$", description="Random, made with the log.")
    count: int = Field(ge=1, le=10**9, strict=True, description="Its records.")
    head: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the last record.")
    place: Words = Field(description="Machine and file, for people and to tell a lost log from one of another machine.")
    at: datetime = Field(description="When (UTC), by the operator's clock; orders nothing.")

    @property
    def said(self) -> tuple[str, int, str]:
        """What it says of which log; the rest is for people."""
        return self.log, self.count, self.head

    def says_as(self, other: AuditHead) -> bool:
        """Whether both say the same of the same log."""
        return self.said == other.said


@dataclass(frozen=True)
class Heads:
    """What somebody keeps.

    Attributes:
        known: those that can be read.
        unreadable: what cannot, and why; nobody knows which log it is about.
    """

    known: tuple[AuditHead, ...] = ()
    unreadable: tuple[str, ...] = ()


class AuditShelf:
    """Where the witness of a pair keeps heads.

    Args:
        store: the quorum.
        prefix: what the keys begin with.
        pair: name of the pair.
    """

    def __init__(self, store: Store, prefix: str, pair: str) -> None:
        self._store, self._prefix, self.pair = store, prefix, pair

    def heads(self) -> Heads:
        """Return the newest head of each log.

        Raises:
            UnreadableWitnessError: one answered, but nobody knows what it says.
            WitnessUnreachableError: no quorum answered.
        """
        found = self._store.read_under(self._prefix, most=MOST_LOGS)
        known, unreadable = [], []
        for key, entry in sorted(found.items()):
            try:
                known.append(_read(entry))
            except ValidationError as error:
                unreadable.append(f"{key[:100]}: {error.error_count()} problems")
        if len(found) == MOST_LOGS:
            unreadable.append(f"what is beyond {MOST_LOGS} logs")
        return Heads(tuple(known), tuple(unreadable))

    def keep(self, head: AuditHead) -> None:
        """Keep a head, unless a newer one of the same log is known.

        Raises:
            UnreadableWitnessError: what is there cannot be read; it stays.
            WitnessConflictError: the log had more records, or other ones, than this head says; or others keep writing.
            WitnessUnreachableError: no quorum answered.
        """
        key = self._prefix + head.log
        for _ in range(_ATTEMPTS):
            entry = self._store.read(key).get(key)
            try:
                known = _read(entry) if entry else None
            except ValidationError as error:
                raise UnreadableWitnessError.because(f"{self.pair}: the head of log {head.log}", error) from error
            if known and known.says_as(head):
                return
            if known and known.count >= head.count:
                raise WitnessConflictError.build(
                    f"the audit log at {head.place} is not the one that the witness of {self.pair} was told of",
                    expected=f"record {known.count} with hash {known.head}, as of {known.at:%Y-%m-%d %H:%M} UTC",
                    found=f"{head.count} records, the last with hash {head.head}",
                    action="`shopsphere audit verify` says what was changed; then find out who did it",
                )
            there = unchanged(key, entry.revision if entry else 0)
            if self._store.swap([there], [put(key, head.model_dump_json())], key).succeeded:
                return
        raise WitnessConflictError(f"{self.pair}: others keep writing the head of log {head.log}")


def _read(entry: Entry) -> AuditHead:
    return AuditHead.model_validate_json(entry.value)
