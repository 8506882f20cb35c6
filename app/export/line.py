"""The region's way to headquarters: HTTPS, both sides with a certificate, bounded in time and in bytes.

The certificates of this line are its own: a region trusts only the authority of headquarters here, and headquarters
only that of the regions; neither is the system's.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.export.outbox import BATCH, LARGEST_SENT, Batch, Mark, Question, Receipt
from app.export.release import Sealed

SECONDS = 30.0
"""Longest time of one question (s): a full batch over 200 ms and a few Mbit/s has room."""
RELEASES, MARK = "/v1/releases", "/v1/releases/mark"
_OK = 200
T = TypeVar("T", Mark, Receipt, "Shelf")


class Shelf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What headquarters has of a region, a batch at a time."""

    releases: Annotated[tuple[Sealed, ...], msgspec.Meta(max_length=BATCH)]


def trust(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what TLS to headquarters is made with; made anew when a file is renewed.

    Args:
        authority: certificates that headquarters' server is trusted by, and no other.
        certificate: this region's, with those between it and the authority that headquarters knows.
        key: of that certificate.

    Raises:
        OSError: a file cannot be read; ssl.SSLError where it is none of these.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cafile=authority)
    context.load_cert_chain(certificate, key)
    return context


class HeadquartersLine:
    """Asks headquarters.

    Args:
        url: of headquarters, https.
        region: number of this region.
        context: as `trust` makes it.
        seconds: longest time of one question (s).
    """

    def __init__(self, url: str, region: int, context: ssl.SSLContext, seconds: float = SECONDS) -> None:
        if not url.startswith("https://"):
            raise ValueError(f"expected an https:// address, found {url!r}")
        self._region = region
        self._client = BoundedClient(url, seconds, context=context)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def mark(self, session: bytes) -> int:
        """Return the number of the latest release that headquarters has; from now on it takes this session's only.

        Raises:
            NoAnswerError: it did not say.
        """
        mark = _read(await self._client.ask("POST", MARK, body=Question(session=session)), Mark)
        self._require_own(mark.region)
        return mark.last

    async def send(self, batch: Batch) -> Receipt:
        """Send releases and return what headquarters says to them.

        Raises:
            NoAnswerError: it did not say; it may have them or not.
        """
        receipt = _read(await self._client.ask("POST", RELEASES, body=batch), Receipt)
        self._require_own(receipt.region)
        return receipt

    async def fetch(self, after: int) -> Sequence[Sealed]:
        """Return the releases of this region that headquarters has after a number, at most a batch of them.

        Raises:
            NoAnswerError: it did not say.
        """
        answer = await self._client.ask("GET", f"{RELEASES}?after={after}", largest=LARGEST_SENT)
        return _read(answer, Shelf).releases

    def _require_own(self, region: int) -> None:
        if region != self._region:
            raise NoAnswerError(f"headquarters takes this region for {region}, expected {self._region}")


class RenewedLine:
    """The line with the certificates of this moment.

    Args:
        url: of headquarters, https.
        region: number of this region.
        context: what TLS is made with now; another one after each renewal.
    """

    def __init__(self, url: str, region: int, context: Callable[[], ssl.SSLContext]) -> None:
        self._url, self._region, self._context = url, region, context
        self._made_with = context()
        self._line = HeadquartersLine(url, region, self._made_with)

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def mark(self, session: bytes) -> int:
        """As HeadquartersLine."""
        return await (await self._now()).mark(session)

    async def send(self, batch: Batch) -> Receipt:
        """As HeadquartersLine."""
        return await (await self._now()).send(batch)

    async def fetch(self, after: int) -> Sequence[Sealed]:
        """As HeadquartersLine."""
        return await (await self._now()).fetch(after)

    async def _now(self) -> HeadquartersLine:
        context = self._context()
        if context is not self._made_with:
            before, self._made_with = self._line, context
            self._line = HeadquartersLine(self._url, self._region, context)
            await before.close()
        return self._line


def _read(answer: Answer, kind: type[T]) -> T:
    if answer.status != _OK:
        raise NoAnswerError(f"status {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NoAnswerError(f"an answer that cannot be read: {error}") from error
