"""The lab's public certificate authority: what a public one is to a real shop."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.paths import pki_directory
from shopsphere.foundation.files import write_whole

_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_DAYS = 825


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, both PEM files."""

    certificate: Path
    key: Path


def new_authority(directory: Path, name: str) -> KeyPair:
    """Make a certificate authority in `directory`, or return the one that is there."""
    pair = KeyPair(directory / "ca.crt", directory / "ca.key")
    if not pair.certificate.exists():
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(pair, certificate, key)
    return pair


def issue(
    authority: KeyPair,
    pair: KeyPair,
    *,
    common_name: str,
    organisation: str | None = None,
    alternatives: tuple[str, ...] = (),
) -> KeyPair:
    """Issue a certificate for server and client use, unless it is there already.

    Args:
        authority: who signs.
        pair: files to write.
        common_name: subject; Kubernetes takes it as the user.
        organisation: Kubernetes takes it as the group.
        alternatives: DNS names and addresses.
    """
    if pair.certificate.exists():
        return pair
    pair.certificate.parent.mkdir(parents=True, exist_ok=True)
    signer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    signer_key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    if not isinstance(signer_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority.key} holds no elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    builder = _builder(x509.Name(names), signer.subject, key.public_key()).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    if alternatives:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(a) for a in alternatives]), critical=False
        )
    _write(pair, builder.sign(signer_key, hashes.SHA256()), key)
    return pair


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _write(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key, then the certificate: whoever finds the certificate whole finds its key."""
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(pair.key, text.decode(), mode=0o600)
    write_whole(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())


def prepare_public(domain: str, static_host: str) -> None:
    """Make the public authority, the shop's wildcard certificate, the CDN's own, and the bundle that every host trusts.

    The CDN is outside every jurisdiction: it holds a key for static assets alone, and can be nobody else.
    """
    directory = pki_directory()
    authority = new_authority(directory, "ShopSphere lab public authority")
    issue(
        authority,
        KeyPair(directory / "public" / "tls.crt", directory / "public" / "tls.key"),
        common_name=domain,
        alternatives=(domain, f"*.{domain}"),
    )
    cdn = KeyPair(directory / "cdn" / "tls.crt", directory / "cdn" / "tls.key")
    issue(authority, cdn, common_name=static_host, alternatives=(static_host,))
    shutil.copyfile(authority.certificate, directory / "public-ca.crt")
    system = _SYSTEM_BUNDLE.read_bytes() if _SYSTEM_BUNDLE.exists() else b""
    (directory / "trust-bundle.crt").write_bytes(system + authority.certificate.read_bytes())
