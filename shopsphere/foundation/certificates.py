"""Certificate authorities and what they issue, as files."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole

AUTHORITY_DAYS = 10 * 365
LEAF_DAYS = 825
RENEW_DAYS = 60
"""A certificate that ends within these days is issued anew at the next occasion: a month before anybody is warned."""
BEGINS_BEFORE = dt.timedelta(hours=1)
"""How long before it was issued a certificate begins: the clock of who reads it may be behind."""


class AuthorityEndedError(ShopSphereError):
    """Whoever is to sign has ended: nobody would believe what it signs."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, both PEM files."""

    certificate: Path
    key: Path


def new_authority(directory: Path, name: str, *, stem: str = "ca") -> KeyPair:
    """Make a certificate authority in `directory`, or return the one that is there; its files begin with `stem`."""
    pair = KeyPair(directory / f"{stem}.crt", directory / f"{stem}.key")
    if not pair.certificate.exists():
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(subject, subject, key.public_key(), _now() + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(pair, certificate, key)
    return pair


def issue(
    authority: KeyPair,
    pair: KeyPair,
    *,
    common_name: str | None = None,
    organisation: str | None = None,
    alternatives: tuple[str, ...] = (),
) -> KeyPair:
    """Issue a certificate for server and client use, unless a good one is there already.

    One that another authority signed, that lacks a name, or that ends within RENEW_DAYS is replaced, with its key.

    Args:
        authority: who signs; the first certificate in its file is the one that does.
        pair: files to write.
        common_name: subject; Kubernetes takes it as the user. Without one the subject is the organisation alone.
        organisation: Kubernetes takes it as the group, the witness's clients are told apart by it.
        alternatives: DNS names, addresses, and URIs, which have a colon.

    Raises:
        AuthorityEndedError: who signs has ended.
    """
    signer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    if signer.not_valid_after_utc <= _now():
        raise AuthorityEndedError.build(
            f"{pair.certificate.name} was not issued",
            expected="an authority that has not ended",
            found=f"{authority.certificate} ended {signer.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            action="where this command has --authority: `begin`, `sign` and `end`, one right after the other; copy "
            "each its files, and restart what reads its authority at its start. Else make a new one with empty hands",
        )
    if _is_good(pair, signer, alternatives):
        return pair
    pair.certificate.parent.mkdir(parents=True, exist_ok=True)
    signer_key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    if not isinstance(signer_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority.key} holds no elliptic curve key")
    if signer_key.public_key() != signer.public_key():
        raise ValueError(f"{authority.key} is not the key of the first certificate in {authority.certificate}")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    if organisation:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    end = min(_now() + dt.timedelta(days=LEAF_DAYS), signer.not_valid_after_utc)
    builder = _builder(x509.Name(names), signer.subject, key.public_key(), end).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    if alternatives:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(a) for a in alternatives]), critical=False
        )
    _write(pair, builder.sign(signer_key, hashes.SHA256()), key)
    return pair


def begin_of(file: Path) -> dt.datetime | None:
    """Return when the first certificate in a file begins (UTC); None where it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_before_utc
    except (OSError, ValueError):
        return None


def end_of(file: Path) -> dt.datetime | None:
    """Return when the first certificate in a file ends (UTC); None where it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def end_of_der(content: bytes) -> dt.datetime | None:
    """Return when a certificate in DER, as TLS shows it, ends (UTC); None where it cannot be read."""
    try:
        return x509.load_der_x509_certificate(content).not_valid_after_utc
    except ValueError:
        return None


def first_end_in(content: str) -> dt.datetime | None:
    """Return when the first of the certificates in base64 of PEM ends (UTC); None where they cannot be read."""
    try:
        chain = x509.load_pem_x509_certificates(base64.b64decode(content))
    except ValueError:
        return None
    return min(each.not_valid_after_utc for each in chain)


def has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether an authority itself has signed a certificate, whatever the time is."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def serial_in(file: Path) -> str:
    """Return the serial number of the first certificate in a file, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
        ValueError: there is no certificate in it.
    """
    return f"{x509.load_pem_x509_certificate(file.read_bytes()).serial_number:x}"


def _is_good(pair: KeyPair, signer: x509.Certificate, alternatives: tuple[str, ...]) -> bool:
    try:
        found = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        found.verify_directly_issued_by(signer)
        extensions = found.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value if alternatives else ()
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    wanted = {_alternative(each) for each in alternatives}
    lasts = found.not_valid_after_utc - _now() > dt.timedelta(days=RENEW_DAYS)
    renewed = lasts or found.not_valid_after_utc >= signer.not_valid_after_utc  # nothing that lasts longer can be had
    return renewed and wanted <= set(names) and _is_key_of(pair.key, found)


def _is_key_of(file: Path, certificate: x509.Certificate) -> bool:
    """Whether a file has the key of a certificate: of two that were written at once, one may be the other's."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return False
    return key.public_key() == certificate.public_key()


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.UniformResourceIdentifier(text) if ":" in text else x509.DNSName(text)


def certificate_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    """Return what every certificate begins with; who issues it adds what it is for."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, end: dt.datetime
) -> x509.CertificateBuilder:
    return certificate_builder(subject, issuer, key, _now() - BEGINS_BEFORE, end)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _write(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key, then the certificate: whoever finds the certificate whole finds its key."""
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(pair.key, text.decode(), mode=0o600)
    write_whole(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())
