"""From the bytes of a record to batches: exactly what app/clicks/events.py writes, and never a failure.

A record is read whole, quickly. Only where that fails is it read piece by piece, so that one bad batch or event costs
the others nothing. Nothing of what was bad is kept or logged but how much there was.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from app.clicks.events import MOST_EVENTS, Moment, Name, Number, Tab
from app.insight.balance import Outcome, Unit

Kind = Literal["view", "list", "search", "add", "remove", "checkout", "buy"]
Sender = Literal["person", "crawler", "program", "unknown"]
PERSON: Sender = "person"
FORMAT = b"1"
"""Version in a record's header `v` that this program reads."""

Rejected = Counter[tuple[Outcome, Unit]]
T = TypeVar("T")


class Event(Struct, gc=False):
    """What is counted of an event; search words and numbers are not even looked at.

    Attributes:
        t: what happened.
        at: when (ms since 1970).
        p: product, as in its address.
        k: category, as in its address.
    """

    t: Kind
    at: Moment
    p: Name | None = None
    k: Name | None = None


class _Head(Struct, gc=False, kw_only=True, rename={"sender": "class"}):
    tab: Tab
    b: Number
    received: Moment
    sender: Sender
    d: Number = 0


class Batch(_Head, gc=False, kw_only=True):
    """A batch as it stands in a record.

    Attributes:
        tab: random number of the tab, hexadecimal.
        b: number of the batch in the tab; the same one when it was sent again.
        received: when a collector had it (ms since 1970).
        sender: who sent it, by what it says of itself.
        d: events that its browser gave up before it.
        e: its events.
    """

    e: Annotated[list[Event], Meta(max_length=MOST_EVENTS)]


class _Pieces(_Head, gc=False, kw_only=True):
    e: Annotated[list[Raw], Meta(max_length=MOST_EVENTS)]


_whole = msgspec.json.Decoder(list[Batch]).decode
_parts = msgspec.json.Decoder(list[Raw]).decode
_pieces = msgspec.json.Decoder(_Pieces).decode
_event = msgspec.json.Decoder(Event).decode


def batches_of(value: bytes) -> tuple[list[Batch], Rejected]:
    """Return the batches of a record, and how much of it is none."""
    try:
        return _whole(value), Rejected()
    except msgspec.ValidationError:
        return _piece_by_piece(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [], Rejected({(Outcome.JSON, Unit.RECORDS): 1})


def _piece_by_piece(value: bytes) -> tuple[list[Batch], Rejected]:
    try:
        parts = _parts(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # JSON, but no array
        return [], Rejected({(Outcome.JSON, Unit.RECORDS): 1})
    found: list[Batch] = []
    rejected = Rejected()
    for part in parts:
        try:
            pieces = _pieces(part)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            rejected[Outcome.SHAPE, Unit.BATCHES] += 1
            continue
        batch = Batch(tab=pieces.tab, b=pieces.b, received=pieces.received, sender=pieces.sender, d=pieces.d, e=[])
        for piece in pieces.e:
            try:
                batch.e.append(_event(piece))
            except (msgspec.MsgspecError, ValueError, RecursionError):
                rejected[Outcome.EVENT, Unit.EVENTS] += 1
        found.append(batch)
    return found, rejected
