"""The provider's own books, in SQLite at its own host; they survive its restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

FEE_PERCENT, FEE_FIXED_MINOR = 1.4, 25
_DECLINES = {
    "tok_declined": "card_declined",
    "tok_insufficient_funds": "insufficient_funds",
    "tok_expired": "expired_card",
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS charge (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, token TEXT NOT NULL, status TEXT NOT NULL, decline_reason TEXT,
    created_at TEXT NOT NULL, captured_at TEXT
)
"""
_SETTLED = "CREATE INDEX IF NOT EXISTS settled ON charge (captured_at, id) WHERE captured_at IS NOT NULL"
LINES_AT_ONCE = 1000
TWIN = "\ttwin"
"""Ends the key of a doubled charge in the books, where keys are unique; callers never see it."""
_COLUMNS = "id, key, reference, amount_minor, currency, token, status, decline_reason, created_at, captured_at"


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge: authorised, captured or declined; later refunded, or voided before it was captured."""

    id: str
    key: str
    reference: str
    amount_minor: int
    currency: str
    token: str
    status: str
    decline_reason: str | None
    created_at: str
    captured_at: str | None

    def public(self) -> dict[str, object]:
        """Return what callers see; the token stays here."""
        return {name: value for name, value in asdict(self).items() if name != "token"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a charge is made from; equal values mean the same request."""

    reference: str
    amount_minor: int
    currency: str
    token: str

    @property
    def moves_money(self) -> bool:
        """Whether the card is good, so that something is charged."""
        return self.token not in _DECLINES


class KeyReusedError(Exception):
    """Same key, other request."""


class Store:
    """Charges on disk. One process, one thread: SQLite's own locking is enough."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._books = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._books.execute("PRAGMA journal_mode = WAL")
        self._books.execute("PRAGMA synchronous = NORMAL")
        self._books.execute(_SCHEMA)
        self._books.execute(_SETTLED)
        self._books.execute("CREATE TABLE IF NOT EXISTS played (fault TEXT NOT NULL, key TEXT NOT NULL)")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Write all that the block writes, or nothing: a wrong and its note belong together, whenever we are killed."""
        self._books.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._books.execute("ROLLBACK")
            raise
        self._books.execute("COMMIT")

    def charge(self, key: str, wanted: Wanted, *, capture: bool, taken: Wanted | None = None) -> Charge:
        """Authorise, and capture if asked; the same key returns the same charge.

        Args:
            key: of the request.
            wanted: what was asked for.
            capture: whether to take the money at once.
            taken: what is charged in its place: a fault of the provider's, played on demand.

        Raises:
            KeyReusedError: the key was used for another request.
        """
        now = datetime.now(UTC).isoformat()
        reason = _DECLINES.get(wanted.token)
        written = taken or wanted
        status = "declined" if reason else "captured" if capture else "authorised"
        self._books.execute(
            f"INSERT INTO charge ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",  # noqa: S608
            (
                f"ch_{uuid4().hex}",
                key,
                written.reference,
                written.amount_minor,
                written.currency,
                written.token,
                status,
                reason,
                now,
                now if status == "captured" else None,
            ),
        )
        stored = self.by_key(key)
        if stored is None or written != Wanted(stored.reference, stored.amount_minor, stored.currency, stored.token):
            raise KeyReusedError
        return stored

    def capture(self, identity: str) -> Charge | None:
        """Capture an authorised charge; capturing again changes nothing."""
        self._books.execute(
            "UPDATE charge SET status = 'captured', captured_at = ? WHERE id = ? AND status = 'authorised'",
            (datetime.now(UTC).isoformat(), identity),
        )
        return self._one("id", identity)

    def refund(self, identity: str) -> Charge | None:
        """Give back all of a captured charge; refunding again changes nothing."""
        self._books.execute("UPDATE charge SET status = 'refunded' WHERE id = ? AND status = 'captured'", (identity,))
        return self._one("id", identity)

    def void(self, identity: str) -> Charge | None:
        """Release the hold of an authorised charge; voiding again changes nothing."""
        self._books.execute("UPDATE charge SET status = 'voided' WHERE id = ? AND status = 'authorised'", (identity,))
        return self._one("id", identity)

    def by_key(self, key: str) -> Charge | None:
        """Return the charge of an idempotency key."""
        return self._one("key", key)

    def note_played(self, fault: str, key: str) -> None:
        """Remember which charge a fault was played with, for whoever wants to find them all again."""
        self._books.execute("INSERT INTO played (fault, key) VALUES (?, ?)", (fault, key))

    def played(self) -> list[tuple[str, str]]:
        """Return what was noted: the fault and the charge's key."""
        return self._books.execute("SELECT fault, key FROM played").fetchall()

    def double(self, charge: Charge) -> None:
        """Take the money of a charge a second time, as a provider with a fault would: settled twice under one key."""
        twin = replace(charge, id=f"ch_{uuid4().hex}", key=f"{charge.key}{TWIN}")
        self._books.execute(
            f"INSERT INTO charge ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 constants
            tuple(asdict(twin)[name] for name in _COLUMNS.split(", ")),
        )

    def correct(self, identity: str, amount_minor: int, currency: str) -> Charge | None:
        """Put a charge right, as a provider does when it is called: the amount and currency that were asked for."""
        self._books.execute(
            "UPDATE charge SET amount_minor = ?, currency = ? WHERE id = ?", (amount_minor, currency, identity)
        )
        return self._one("id", identity)

    def settlement(self, day: str, after: str = "") -> tuple[list[dict[str, object]], str | None]:
        """Return lines of charges captured on a day (UTC), with the provider's fee, and where the next ones begin.

        A line also says how much of it has been given back until now.
        """
        captured_at, _, identity = after.partition("|")
        rows = self._books.execute(
            "SELECT id, key, reference, amount_minor, currency, captured_at, "
            "CASE status WHEN 'refunded' THEN amount_minor ELSE 0 END FROM charge "
            "WHERE captured_at IS NOT NULL AND captured_at >= ? AND captured_at < ? AND (captured_at, id) > (?, ?) "
            "ORDER BY captured_at, id LIMIT ?",
            (day, f"{day}U", captured_at, identity, LINES_AT_ONCE),
        )
        names = ("charge", "key", "reference", "amount_minor", "currency", "captured_at", "refunded_minor")
        lines = [dict(zip(names, row, strict=True)) for row in rows]
        last = lines[-1] if len(lines) == LINES_AT_ONCE else None
        return [
            {
                **line,
                "key": line["key"].removesuffix(TWIN),
                "fee_minor": round(line["amount_minor"] * FEE_PERCENT / 100) + FEE_FIXED_MINOR,
            }
            for line in lines
        ], None if last is None else f"{last['captured_at']}|{last['charge']}"

    def _one(self, column: str, value: str) -> Charge | None:
        row = self._books.execute(f"SELECT {_COLUMNS} FROM charge WHERE {column} = ?", (value,)).fetchone()  # noqa: S608 ours
        return None if row is None else Charge(*row)
