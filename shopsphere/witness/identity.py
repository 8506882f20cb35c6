"""Who asks a witness: a certificate that its voters know, and the password of a user with a role there.

etcd's JSON gateway takes nobody's name from a certificate, and refuses one that has a common name. So the certificate
opens the door, and the user decides what may be done behind it.
Source: https://etcd.io/docs/v3.6/op-guide/authentication/rbac/
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shopsphere.foundation.certificates import end_of
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.trust import mutual_trust

AUTHORITY = "ca.crt"


class WitnessKeysError(ShopSphereError):
    """Keys for a witness are missing, or cannot be used."""


@dataclass(frozen=True)
class Identity:
    """Files of one who asks a witness.

    Attributes:
        folder: holds `ca.crt` and, of the user, `.crt`, `.key` and `.password`.
        user: as the witness knows who asks.
    """

    folder: Path
    user: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Authority, certificate, key and password."""
        own = (self.folder / f"{self.user}.{kind}" for kind in ("crt", "key", "password"))
        return (self.folder / AUTHORITY, *own)

    def stamp(self) -> tuple[int, ...]:
        """Return what differs once the files were replaced.

        Raises:
            WitnessKeysError: one is missing.
        """
        try:
            found = [each.stat() for each in self.files]
        except OSError as error:
            raise self._unusable(error) from error
        # Not the time alone: a file that is copied with its time, or written twice within a tick, is another one.
        return tuple(part for each in found for part in (each.st_mtime_ns, each.st_ino, each.st_size))

    def context(self) -> ssl.SSLContext:
        """Return how to speak with a voter: TLS 1.3, known by the authority alone, with our own certificate.

        Raises:
            WitnessKeysError: a file is missing, or is no certificate or key.
        """
        authority, certificate, key, _ = self.files
        try:
            return mutual_trust(authority, certificate, key)
        except OSError as error:  # ssl's own errors are such
            raise self._unusable(error) from error

    def password(self) -> str:
        """Return the user's password.

        Raises:
            WitnessKeysError: there is none.
        """
        try:
            password = self.files[-1].read_text().strip()
        except OSError as error:
            raise self._unusable(error) from error
        if not password:
            raise self._refused(f"{self.files[-1]}: empty")
        return password

    def ended(self) -> str:
        """Return which of our own certificates has ended, and when (UTC); empty where none has."""
        ends = ((each, end_of(each)) for each in self.files[:2])
        over = [(each.name, end) for each, end in ends if end is not None and end <= datetime.now(UTC)]
        return ", ".join(f"{name} on this machine ENDED {end:%Y-%m-%d %H:%M} UTC" for name, end in over)

    def _unusable(self, error: OSError) -> ShopSphereError:
        found = f"{error.filename}: {error.strerror}" if error.filename else f"not a pair that fits: {error.strerror}"
        return self._refused(found)

    def _refused(self, found: str) -> ShopSphereError:
        return WitnessKeysError.build(
            f"the keys of {self.user} for the witness cannot be used",
            expected=", ".join(str(each) for each in self.files),
            found=found,
            action="`shopsphere witness keys` makes them; copy those of this user, and ca.crt, to this folder",
        )
