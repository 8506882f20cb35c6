"""Which days a page is about; a link may name others within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from app.errors import ShopError

LENGTHS = (7, 28, 91)
"""Days that a page may have; each of them is a row and a bar."""
USUAL = 28
EARLIEST, LATEST = date(2020, 1, 1), date(2199, 12, 31)


class SpanError(ShopError):
    """A link asks for days that a page does not have."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row (UTC).

    Attributes:
        since: the first day.
        until: the day after the last one.
    """

    since: date
    until: date

    @property
    def last(self) -> date:
        """The last day."""
        return self.until - timedelta(days=1)

    @property
    def length(self) -> int:
        """How many days there are."""
        return (self.until - self.since).days

    def days(self) -> tuple[date, ...]:
        """Return every day, the first one first."""
        return tuple(self.since + timedelta(days=number) for number in range(self.length))

    def query(self) -> str:
        """Return what a link adds to its address to name these days."""
        return f"?last={self.last}&days={self.length}"


def span_ending(last: date, length: int = USUAL) -> Span:
    """Return so many days of which this is the last."""
    return Span(last - timedelta(days=length - 1), last + timedelta(days=1))


def span_of(query: Mapping[str, str], today: date | None = None) -> Span:
    """Return the days that a link names: `last` and `days`; without them the 28 days before today (UTC).

    Raises:
        SpanError: it names no day, or more days than a page has.
    """
    today = today or datetime.now(UTC).date()
    length, last = query.get("days", str(USUAL)), query.get("last", "")
    if length not in map(str, LENGTHS):
        raise _unknown(f"days that are one of {', '.join(map(str, LENGTHS))}", length)
    if not last:
        return span_ending(today - timedelta(days=1), int(length))
    try:
        day = date.fromisoformat(last)
    except ValueError:
        day = date.min
    if str(day) != last or not EARLIEST <= day <= LATEST:
        raise _unknown(f"a last day such as {today} from {EARLIEST} on", last)
    return span_ending(day, int(length))


def _unknown(expected: str, found: str) -> ShopError:
    return SpanError.build(
        "there is no page of these days",
        expected=expected,
        found=repr(found[:40]),
        action="choose the days in the form at the top of the page",
    )
