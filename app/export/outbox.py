"""Releases on their way: in batches, in the order of their numbers, from where headquarters stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

import msgspec

from app.errors import ShopError
from app.export.release import Sealed
from app.export.schema import RegionNumber, Seq
from app.export.verifying import Verdict

BATCH = 64
"""Releases in one sending."""
LARGEST_BATCH = 1024 * 1024
"""Bytes of releases in one sending; a single release may have up to a quarter of that."""
LARGEST_SENT = 2 * LARGEST_BATCH
"""Bytes of a sending as it is written: base64 makes 4 of 3, and each release has a few beside."""

SESSION_BYTES = 16
Session = Annotated[bytes, msgspec.Meta(min_length=SESSION_BYTES, max_length=SESSION_BYTES)]
"""Random bytes by which headquarters knows who asked last where it stands: only that one may send."""


class BehindError(ShopError):
    """The database may lack releases that headquarters has; they have to be taken back before another one is made."""


class Standing(NamedTuple):
    """How far the releases of one leading database are.

    Attributes:
        seq: number of a release; 0 before the first.
        lineage: which database that is. A promotion begins another one, and so does a restored database that takes the
            place of the live one. Empty for a database that follows. What was known of one is not known of the next.
    """

    seq: int
    lineage: str


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asks where headquarters stands. After the answer nothing is taken any more that was sent in another session.

    So what a lost site has sent arrives before another site goes on, or never.
    """

    form: Literal[1] = 1
    session: Session


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent at once."""

    form: Literal[1] = 1
    session: Session
    releases: Annotated[tuple[Sealed, ...], msgspec.Meta(min_length=1, max_length=BATCH)]


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where headquarters stands with a region: which release it has last; 0 before the first."""

    region: RegionNumber
    last: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What headquarters says to a batch.

    Attributes:
        region: whose releases it speaks of.
        last: number of the latest release that it has by now.
        verdict: about the release at which it stopped; None if it took all.
        seq: number of that release, if it could be read.
    """

    region: RegionNumber
    last: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    verdict: Verdict | None = None
    seq: Seq | None = None


def fitting(waiting: Iterable[Sealed]) -> tuple[Sealed, ...]:
    """Return the first releases that fit into one sending, or into one answer; at least one, if there is one."""
    taken: list[Sealed] = []
    size = 0
    for sealed in waiting:
        size += len(sealed.body)
        if len(taken) == BATCH or (taken and size > LARGEST_BATCH):
            break
        taken.append(sealed)
    return tuple(taken)


def batch_of(session: bytes, waiting: Iterable[Sealed]) -> Batch | None:
    """Return the first releases that fit into one sending; None if there are none."""
    taken = fitting(waiting)
    return Batch(session=session, releases=taken) if taken else None
