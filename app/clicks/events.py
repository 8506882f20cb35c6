"""The wire format: what a browser sends, and what stands in a record of Kafka.

A browser sends `{"v":1,"tab":"16 hex","b":41,"sent":ms,"c":1,"e":[{"t":"view","at":ms,"q":612,"p":"slug"}]}`. Fields
that are not known are dropped, so that nothing reaches a disk that nobody has looked at. A later version (`v` > 1) is
taken as far as it has the fields of this one: collectors learn new fields first, browsers send them then.

The moments of a browser are on one clock of its own, which may be wrong by years; only their distance counts. The
moment of an event is the time at which the batch was received, less its age when it was sent.
"""

from __future__ import annotations

from string import ascii_lowercase, digits
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from app.clicks.reasons import Reason, RefusedError
from app.clicks.senders import Sender
from app.clicks.words import cleaned

LARGEST_BODY = 64 * 1024
"""Bytes of one batch."""
MOST_EVENTS = 32
OLDEST_MS = 86_400_000
"""Greatest age of an event when it is sent (ms); an older one counts as so old."""
AGREED = 1
"""Value of `c`: the visitor agreed to this."""
_NAME = f"{ascii_lowercase}{digits}-".encode()

Moment = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Milliseconds since 1970 on some clock; what JavaScript can count exactly."""
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
"""Of a product or category, as in its address."""
Count = Annotated[int, Meta(ge=0, le=9_999)]
Words = Annotated[str, Meta(max_length=200)]
Tab = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
"""Random number of a tab, hexadecimal."""


class Event(Struct, kw_only=True, omit_defaults=True, tag_field="t", gc=False):
    """Something that happened in a tab.

    Attributes:
        at: when; the browser's clock in a batch, ours (ms since 1970) in a record.
        q: its number in the tab, which gives the order.
        p: product.
        k: category.
        s: search words, cleaned.
        n: how many: pieces, results found, or the number of the page of a list.
    """

    at: Moment
    q: Number
    p: Name | None = None
    k: Name | None = None
    s: Words | None = None
    n: Count | None = None


class View(Event, kw_only=True, tag="view"):
    """A product's page was looked at."""

    p: Name


class Listed(Event, kw_only=True, tag="list"):
    """A page of a category was looked at."""

    k: Name


class Search(Event, kw_only=True, tag="search"):
    """Something was searched; the words are empty when they looked personal."""


class Add(Event, kw_only=True, tag="add"):
    """A product was to be put into the cart."""

    p: Name


class Remove(Event, kw_only=True, tag="remove"):
    """A product was to be taken out of the cart."""

    p: Name


class Checkout(Event, kw_only=True, tag="checkout"):
    """The checkout was looked at."""


class Buy(Event, kw_only=True, tag="buy"):
    """The receipt of a new order was looked at; what was ordered, only orders say."""


class Batch(Struct, kw_only=True, gc=False):
    """What one POST holds.

    Attributes:
        v: version of the format.
        tab: random number of the tab, hexadecimal.
        b: number of the batch in the tab; the same one when it is sent again.
        sent: when it was sent, on the clock of its events.
        c: AGREED, or it is refused.
        d: how many events the browser has given up since the last batch that was taken.
        e: the events.
    """

    v: Annotated[int, Meta(ge=1, le=999)]
    tab: Tab
    b: Number
    sent: Moment
    c: int = 0
    d: Number = 0
    e: Annotated[
        list[View | Listed | Search | Add | Remove | Checkout | Buy], Meta(min_length=1, max_length=MOST_EVENTS)
    ]


class Envelope(Struct, kw_only=True, omit_defaults=True, gc=False, rename={"sender": "class"}):
    """A batch as a record holds it; a record is a JSON array of these.

    The array may be empty: a collector that has nothing to write says so every few seconds, to see whether brokers
    acknowledge (header `n` 0, value `[]`). Who counts skips such a record, and every record with no event.

    Attributes:
        received: when we had it (ms since 1970).
        sender: who sent it; `class` in JSON.
    """

    v: int
    tab: str
    b: int
    received: int
    sender: Sender
    d: int = 0
    e: list[View | Listed | Search | Add | Remove | Checkout | Buy]


_decode = msgspec.json.Decoder(Batch).decode
_encode = msgspec.json.Encoder().encode


def batch_of(body: bytes) -> Batch:
    """Return the batch that a body holds, as it was sent.

    Raises:
        RefusedError: it holds none.
    """
    try:
        batch = _decode(body)
    except msgspec.ValidationError as error:
        raise RefusedError(Reason.SHAPE) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RefusedError(Reason.JSON) from error
    if batch.c != AGREED:
        raise RefusedError(Reason.CONSENT)
    return batch


def envelope_of(batch: Batch, received: int, sender: Sender) -> bytes:
    """Return what is kept of a batch, in JSON; the batch's own events are changed.

    Args:
        batch: as it was sent.
        received: when (ms since 1970).
        sender: who sent it.

    Raises:
        RefusedError: a name has letters that no name has.
    """
    events = batch.e
    offset, oldest = received - batch.sent, received - OLDEST_MS
    names = []
    for event in events:
        at = event.at + offset
        event.at = received if at > received else max(at, oldest)
        if event.p is not None:
            names.append(event.p)
        if event.k is not None:
            names.append(event.k)
        if event.s is not None:
            event.s = cleaned(event.s) or None
    if "".join(names).encode().translate(None, _NAME):
        raise RefusedError(Reason.NAME)
    return _encode(Envelope(v=batch.v, tab=batch.tab, b=batch.b, received=received, sender=sender, d=batch.d, e=events))
