"""Keys of releases as files: what signs for a region, and by what headquarters knows whose signature it is."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.errors import ShopError
from app.export.release import Signer, public_key_of
from app.export.verifying import Register

_KEY = re.compile(rb"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.DOTALL)
_FILE = re.compile(r"region-([1-9][0-9]?)\.pem")


def public_keys(file: Path) -> tuple[Ed25519PublicKey, ...]:
    """Return the public keys in a file (PEM, one after the other).

    Raises:
        OSError: it cannot be read.
        ShopError: one is no Ed25519 key, or there is none.
    """
    text = file.read_bytes()
    return tuple(public_key_of(each) for each in _KEY.findall(text) or [text])


def signer_of(file: Path) -> Signer:
    """Return the signer whose private key is in a file (PEM).

    Raises:
        ShopError: it cannot be read, or is no Ed25519 key.
    """
    try:
        return Signer.of_pem(file.read_bytes())
    except OSError as error:
        raise ShopError.build(
            "the key that signs releases cannot be read",
            expected=f"a file at {file} that this process may read",
            found=str(error),
            action="look at EXPORT_SIGNING_KEY_FILE and at the secret behind it",
        ) from error


def register_of(folder: Path) -> Register:
    """Return whose key is whose by a folder with a file `region-N.pem` for each region; two keys while one is renewed.

    Raises:
        OSError: a file cannot be read.
        ShopError: there is none, or one holds something else.
    """
    found = {int(name[1]): file for file in sorted(folder.iterdir()) if (name := _FILE.fullmatch(file.name))}
    if not found:
        raise ShopError.build(
            "nobody may send releases",
            expected=f"files region-1.pem and so on in {folder}, each with the public keys of one region",
            found="none",
            action="put each region's public key there: `openssl pkey -in KEY -pubout`",
        )
    return Register({region: public_keys(file) for region, file in found.items()})
