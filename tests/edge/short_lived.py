"""Certificates that end within seconds, for real: issued anew with their key and names by the pair's own authority."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shopsphere.foundation.certificates import certificate_builder, end_of
from shopsphere.foundation.files import write_whole


def ends_within(keys: Path, name: str, seconds: float, *, authority: str = "ca") -> None:
    """Let a certificate end; that of the authority is signed by itself. Seconds are whole ones."""
    file, own = keys / f"{name}.crt", name == authority
    old = x509.load_pem_x509_certificate(file.read_bytes())
    signer = old if own else x509.load_pem_x509_certificate((keys / f"{authority}.crt").read_bytes())
    key = serialization.load_pem_private_key((keys / f"{authority}.key").read_bytes(), None)
    public = old.public_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    builder = certificate_builder(old.subject, signer.subject, public, old.not_valid_before_utc, end)
    for each in old.extensions:
        builder = builder.add_extension(each.value, critical=each.critical)
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    write_whole(file, made.decode(), mode=0o600)


def wait_for_end(file: Path) -> None:
    """Return when a certificate has ended."""
    end = end_of(file)
    assert end is not None
    time.sleep(max(0.0, (end - dt.datetime.now(dt.UTC)).total_seconds()) + 1.1)
