"""The outbox of a region: its releases in `commerce`, as the delivery asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.database import Database
from app.export import region_rows
from app.export.budget import Spending
from app.export.delivery import StrangeReleaseError
from app.export.outbox import Standing
from app.export.release import Sealed
from app.export.verifying import Known, Register, Verdict, authentic, in_turn
from app.export.vocabulary import Kind, Vocabulary


class StoredOutbox:
    """What a region has to send.

    Args:
        commerce: the region's database.
        region: its number.
        keys: public keys that sign, or have signed, for it.
        vocabulary: numbers of its catalogue.
    """

    def __init__(
        self, commerce: Database, region: int, keys: Sequence[Ed25519PublicKey], vocabulary: Vocabulary
    ) -> None:
        self._commerce = commerce
        self._region = region
        self._register = Register({region: keys})
        self._vocabulary = vocabulary

    async def standing(self) -> Standing:
        """Return the number of the latest release, and of which database that is."""
        return await region_rows.standing(self._commerce)

    async def after(self, seq: int) -> Sequence[Sealed]:
        """Return the releases after a number in their order, at most a batch of them."""
        return await region_rows.after(self._commerce, seq)

    async def confirm(self, seq: int) -> str:
        """Write down that headquarters has all releases up to a number; return the lineage of the database.

        Raises:
            BehindError: the database does not have that release.
            ReadOnlyDatabaseError: it takes no writes now.
        """
        async with self._commerce.write() as connection:
            return await region_rows.confirm(connection, seq)

    async def adopt(self, releases: Sequence[Sealed]) -> None:
        """Take back releases that were sent and that this database lost: their signature is this region's own.

        Raises:
            StrangeReleaseError: one is not this region's, or not the next one; none is taken then.
        """
        async with self._commerce.write() as connection:
            last = await region_rows.lock(connection)
            judged = [authentic(each, self._register, self._region, self._vocabulary) for each in releases]
            days = [each.release.day for each in judged if each.release is not None]
            known = Known(last, said=await region_rows.said(connection, days))
            for sealed, first in zip(releases, judged, strict=True):
                found = in_turn(sealed, first, known)
                if found.verdict is not Verdict.NEW or found.release is None:
                    raise StrangeReleaseError(f"headquarters shows a release as ours: {found.verdict}, {found.found}")
                release = found.release
                await region_rows.insert(connection, sealed, release, is_adopted=True)
                if release.kind is Kind.BEHAVIOUR and release.part == 1:
                    spending = Spending(self._region, release.day, release.seq, sealed.digest)
                    await region_rows.spend(connection, spending)
                known = known.beside(sealed, release)
