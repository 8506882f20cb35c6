"""A release as bytes: one way to write it, its digest, its signature.

The bytes are JSON with the fields in their order, without spaces. What is read has to be written the same way again, so
there is one text for one content, and nothing fits between.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from app.errors import ShopError
from app.export.schema import Release

CONTEXT = b"shopsphere release 1\n"
"""Stands before the bytes that are signed: a signature of something else is none of a release."""
LARGEST = 256 * 1024
"""Bytes of a release; a thousand rows have less than half of that."""
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64


class UnreadableReleaseError(ValueError):
    """The bytes are no release, or one that is written in another way."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release with who signed it; as it is stored, sent and kept.

    Attributes:
        body: the release's bytes.
        signer: which key signed it, see `key_id`.
        signature: of the body, Ed25519.
    """

    body: Annotated[bytes, msgspec.Meta(max_length=LARGEST)]
    signer: Annotated[bytes, msgspec.Meta(min_length=KEY_ID_BYTES, max_length=KEY_ID_BYTES)]
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]

    @property
    def digest(self) -> bytes:
        """What tells its content from every other one: SHA-256 of the body."""
        return hashlib.sha256(self.body).digest()


def written(release: Release) -> bytes:
    """Return the bytes of a release.

    Raises:
        UnreadableReleaseError: it could not be read again: a field is of another type, or the bytes are too many.
    """
    body = msgspec.json.encode(release)
    read(body)
    return body


def read(body: bytes) -> Release:
    """Return the release that some bytes are.

    Raises:
        UnreadableReleaseError: they are none, or written in another way.
    """
    if len(body) > LARGEST:
        raise UnreadableReleaseError(f"expected {LARGEST} bytes or fewer, found {len(body)}")
    try:
        release = msgspec.json.decode(body, type=Release)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableReleaseError(str(error)) from error
    if msgspec.json.encode(release) != body:
        raise UnreadableReleaseError("expected the one way to write this release, found another")
    return release


def key_id(key: Ed25519PublicKey) -> bytes:
    """Return what names a key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def is_signed(sealed: Sealed, key: Ed25519PublicKey) -> bool:
    """Whether a key signed these bytes as a release."""
    try:
        key.verify(sealed.signature, CONTEXT + sealed.body)
    except InvalidSignature:
        return False
    return True


class Signer:
    """Signs a region's releases."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key()
        self._id = key_id(self.public)

    @classmethod
    def of_pem(cls, text: bytes) -> Signer:
        """Return the signer that has a private key, given as PEM.

        Raises:
            ShopError: it is no Ed25519 key.
        """
        try:
            key = load_pem_private_key(text, password=None)
        except (ValueError, TypeError) as error:
            raise _unusable(type(error).__name__) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(type(key).__name__)
        return cls(key)

    def seal(self, release: Release) -> Sealed:
        """Return a release with this signer's signature.

        Raises:
            UnreadableReleaseError: it has something that no release may have.
        """
        body = written(release)
        return Sealed(body=body, signer=self._id, signature=self._key.sign(CONTEXT + body))


def public_key_of(text: bytes) -> Ed25519PublicKey:
    """Return a public key that is given as PEM.

    Raises:
        ShopError: it is no Ed25519 key.
    """
    try:
        key = load_pem_public_key(text)
    except ValueError as error:
        raise _unusable(type(error).__name__) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(type(key).__name__)
    return key


def _unusable(found: str) -> ShopError:
    return ShopError.build(
        "the key that signs releases cannot be used",
        expected="an Ed25519 key as PEM, without a password",
        found=found,
        action="make one with `openssl genpkey -algorithm ed25519`, and give headquarters its public half",
    )
