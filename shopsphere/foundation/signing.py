"""Words that are signed with the key of a certificate, and who has signed them.

A certificate here also opens TLS. What is signed begins with a line of its own, which TLS never signs (it begins with
spaces, RFC 8446, 4.4.3), and which differs for each kind of words: nothing that is signed for one purpose can be shown
for another.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import Field

from shopsphere.foundation.exchanged import Exchanged

_ALGORITHM = ec.ECDSA(hashes.SHA256())


class NotSignedError(ValueError):
    """Nobody who is believed has signed these words; the message says why not."""


class SignerEndedError(NotSignedError):
    """The signature was good, and nobody who sees it first believes it any more: all else about it holds.

    Attributes:
        signer: who has signed, as `signer_of` would have said before.
    """

    def __init__(self, signer: str, end: datetime) -> None:
        super().__init__(f"its signer's certificate ended {end:%Y-%m-%d %H:%M} UTC")
        self.signer = signer


class Signature(Exchanged):
    """A signature, and the certificate of whoever made it."""

    certificate: str = Field(max_length=4096, description="X.509, DER, in base64.")
    value: str = Field(max_length=512, description="ECDSA with SHA-256, DER, in base64.")

    def end_if_of(self, authorities: Iterable[x509.Certificate]) -> datetime | None:
        """Return when its certificate ends (UTC); None where none of these authorities has issued it."""
        try:
            found = _certificate(self)
        except NotSignedError:
            return None
        return found.not_valid_after_utc if _is_of_one(found, authorities) else None


class Statement(Exchanged):
    """Words with a signature. They are kept as they were signed, so that whoever passes them on changes nothing."""

    text: str = Field(max_length=4096)
    signature: Signature


def sign(certificate: Path, key: Path, kind: str, content: str) -> Signature:
    """Sign words.

    Args:
        certificate: of the signer, PEM.
        key: that belongs to it, PEM.
        kind: what the words are, as the verifier will say it.
        content: the words.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file holds no certificate or key of an elliptic curve, or they do not belong together.
    """
    own, secret = x509.load_pem_x509_certificate(certificate.read_bytes()), key.read_bytes()
    signer = serialization.load_pem_private_key(secret, None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or signer.public_key() != own.public_key():
        raise ValueError(f"{key} is not the key of {certificate}")
    value = signer.sign(_words(kind, content), _ALGORITHM)
    return Signature(certificate=_text(own.public_bytes(serialization.Encoding.DER)), value=_text(value))


def authorities_in(file: Path) -> tuple[x509.Certificate, ...]:
    """Return the authorities that are believed.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds something else.
    """
    return tuple(x509.load_pem_x509_certificates(file.read_bytes()))


def signer_of(
    signature: Signature, kind: str, content: str, authorities: Sequence[x509.Certificate], at: datetime
) -> str:
    """Return who signed these words: the organisation in the subject, which has to be all that is in it.

    Args:
        signature: what is judged.
        kind: as it was signed.
        content: as it was signed.
        authorities: one of them has to have issued the certificate itself.
        at: when the certificate has to be valid (UTC).

    Raises:
        SignerEndedError: all is well but that the certificate has ended.
        NotSignedError: nobody who is believed did.
    """
    found = _certificate(signature)
    if not _is_of_one(found, authorities):
        raise NotSignedError("its signer's certificate is of an authority that is not believed")
    if at < found.not_valid_before_utc:
        raise NotSignedError(
            f"its signer's certificate is good from {found.not_valid_before_utc:%Y-%m-%d %H:%M}, "
            f"not at {at:%Y-%m-%d %H:%M} UTC"
        )
    _require_words(found, signature, kind, content)
    names = list(found.subject)
    if len(names) != 1 or names[0].oid != NameOID.ORGANIZATION_NAME:
        raise NotSignedError(f"its signer's certificate names {found.subject.rfc4514_string()[:100]}, which is no user")
    signer = str(names[0].value)
    if at > found.not_valid_after_utc:
        raise SignerEndedError(signer, found.not_valid_after_utc)
    return signer


def names_in(signature: Signature) -> tuple[str, ...]:
    """Return what a signer's certificate names beside its subject; whether it is believed, `signer_of` says.

    Raises:
        NotSignedError: it cannot be read.
    """
    try:
        found = _certificate(signature).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    except ValueError as error:
        raise NotSignedError("its signer's certificate cannot be read") from error
    return tuple(str(each.value) for each in found.value)


def begin_of_signers(signature: Signature) -> datetime:
    """Return when a signer's certificate begins (UTC); raises as `names_in`."""
    return _certificate(signature).not_valid_before_utc


def require_authoritys(statement: Statement, kind: str, authorities: Sequence[x509.Certificate]) -> None:
    """Make sure that one of these authorities has signed a statement itself, whatever the time is.

    Raises:
        NotSignedError: none did.
    """
    found = _certificate(statement.signature)
    if found not in authorities:
        raise NotSignedError("its signer is no authority that is believed")
    _require_words(found, statement.signature, kind, statement.text)


def _is_of_one(found: x509.Certificate, authorities: Iterable[x509.Certificate]) -> bool:
    for each in authorities:
        try:
            found.verify_directly_issued_by(each)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _require_words(found: x509.Certificate, signature: Signature, kind: str, content: str) -> None:
    key = found.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotSignedError("its signer's key is of no elliptic curve")
    try:
        key.verify(base64.b64decode(signature.value, validate=True), _words(kind, content), _ALGORITHM)
    except (InvalidSignature, ValueError) as error:
        raise NotSignedError("the signature is not one of these words") from error


def _certificate(signature: Signature) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(signature.certificate, validate=True))
    except ValueError as error:
        raise NotSignedError("its signer's certificate cannot be read") from error


def _words(kind: str, content: str) -> bytes:
    return f"{kind}\n{content}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
