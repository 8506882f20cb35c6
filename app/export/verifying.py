"""What headquarters makes of a release that it is sent: whether it is the region's, the next one, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.errors import ShopError
from app.export.release import Sealed, UnreadableReleaseError, is_signed, key_id, read
from app.export.schema import Release, unknown_numbers
from app.export.vocabulary import Kind, Vocabulary


class Verdict(StrEnum):
    """What becomes of a release."""

    NEW = "new"  # it is the next one: to be kept
    REPEATED = "repeated"  # it is here already, with the same content: nothing to do
    UNKNOWN_SIGNER = "unknown signer"  # no key that headquarters knows
    BAD_SIGNATURE = "bad signature"  # of a known key, but not over these bytes
    WRONG_REGION = "wrong region"  # signed by, or sent by, another region than it says
    UNREADABLE = "unreadable"  # no release, or one with something that is not in the schema or in the catalogue
    GAP = "gap"  # one before it is missing
    OTHER_CONTENT = "other content"  # its number is here already, with another content
    DAY_AGAIN = "day again"  # what it says of a day was said before, under another number
    SUPERSEDED = "superseded"  # another process has asked since where headquarters stands


TAKEN = frozenset({Verdict.NEW, Verdict.REPEATED})
"""After these the next release may come; every other verdict refuses, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict; the release where it could be read, and in words what was found."""

    verdict: Verdict
    release: Release | None = None
    found: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What headquarters has of one region, as far as it concerns the releases that are judged.

    Attributes:
        last: number of the latest release; 0 before the first.
        digests: of releases that are here, by number.
        said: kind, day and part of releases that are here.
    """

    last: int = 0
    digests: Mapping[int, bytes] = field(default_factory=dict)
    said: frozenset[tuple[Kind, date, int]] = frozenset()

    def beside(self, sealed: Sealed, release: Release) -> Known:
        """Return what is known once this release is kept."""
        return Known(release.seq, {**self.digests, release.seq: sealed.digest}, self.said | {said_by(release)})


def said_by(release: Release) -> tuple[Kind, date, int]:
    """Return what a region says once only."""
    return release.kind, release.day, release.part


class Register:
    """Whose key is whose.

    Args:
        keys: public keys that sign for a region, by its number; two while its key is renewed.

    Attributes:
        regions: that have a key.

    Raises:
        ShopError: one key is given for two regions, so that it would not tell who signed.
    """

    def __init__(self, keys: Mapping[int, Sequence[Ed25519PublicKey]]) -> None:
        self.regions = frozenset(region for region, some in keys.items() if some)
        self._keys: dict[bytes, tuple[Ed25519PublicKey, int]] = {}
        for region, some in keys.items():
            for key in some:
                if (before := self._keys.setdefault(key_id(key), (key, region))[1]) != region:
                    raise ShopError.build(
                        "one key signs for two regions",
                        expected="a key of its own for each region",
                        found=f"key {key_id(key).hex()} for regions {before} and {region}",
                        action="make another key for one of them",
                    )

    def signer(self, sealed: Sealed) -> tuple[Ed25519PublicKey, int] | None:
        """Return the key that a release names and the region that it signs for; None for an unknown one."""
        return self._keys.get(sealed.signer)


def judge(sealed: Sealed, register: Register, peer: int, known: Known, vocabulary: Vocabulary) -> Judged:
    """Return what becomes of a release.

    Args:
        sealed: what was sent.
        register: whose key is whose.
        peer: number of the region whose certificate the connection was made with.
        known: what headquarters has of that region.
        vocabulary: numbers of the catalogue.
    """
    return in_turn(sealed, authentic(sealed, register, peer, vocabulary), known)


def authentic(sealed: Sealed, register: Register, peer: int, vocabulary: Vocabulary) -> Judged:
    """Return whether a release is what it says, whatever is here already; NEW stands for yes."""
    signer = register.signer(sealed)
    if signer is None:
        return Judged(Verdict.UNKNOWN_SIGNER, found=f"key {sealed.signer.hex()}")
    key, region = signer
    if not is_signed(sealed, key):
        return Judged(Verdict.BAD_SIGNATURE, found=f"key {sealed.signer.hex()} of region {region}")
    try:
        release = read(sealed.body)
    except UnreadableReleaseError as error:
        return Judged(Verdict.UNREADABLE, found=str(error))
    if not release.region == region == peer:
        found = f"says region {release.region}, signed by {region}, sent by {peer}"
        return Judged(Verdict.WRONG_REGION, release, found)
    unknown = sorted(set(unknown_numbers(release, vocabulary)))
    if unknown:
        return Judged(Verdict.UNREADABLE, release, f"not in the catalogue: {', '.join(unknown[:5])}")
    return Judged(Verdict.NEW, release)


def in_turn(sealed: Sealed, judged: Judged, known: Known) -> Judged:
    """Return what becomes of a release by what is here already."""
    release = judged.release
    if release is None or judged.verdict is not Verdict.NEW:
        return judged
    if release.seq <= known.last:
        is_same = known.digests.get(release.seq) == sealed.digest
        return Judged(Verdict.REPEATED if is_same else Verdict.OTHER_CONTENT, release, f"number {release.seq}")
    if release.seq > known.last + 1:
        return Judged(Verdict.GAP, release, f"number {release.seq} after {known.last}")
    if said_by(release) in known.said:
        return Judged(Verdict.DAY_AGAIN, release, f"{release.kind} of {release.day}, part {release.part}")
    return judged
