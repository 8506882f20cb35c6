"""Who asks the APIs of the edge: a certificate of the edge's own authority, whose common name is the user."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopsphere.clients.edge_errors import CredentialError
from shopsphere.foundation.trust import mutual_trust

DEPLOYER, RUNBOOKS, WATCHER = "deployer", "runbooks", "watcher"
USERS = (DEPLOYER, RUNBOOKS, WATCHER)
"""May write what the edge declares; may write states of pairs; may read."""
PULLER = "cdn"
"""The CDN when it fetches from a site's gateway: no user of an API, and the only one that the gateway answers there."""
KEYS_FOLDER = "keysFolder"
"""Input of a resource of the edge: the folder with the users' certificates."""


@dataclass(frozen=True)
class EdgeIdentity:
    """Files of one who asks an API of the edge.

    Attributes:
        folder: holds `ca.crt` and, of the user, `.crt` and `.key`.
        user: one of `USERS`.
    """

    folder: Path
    user: str

    @classmethod
    def of(cls, folder: str, user: str) -> EdgeIdentity:
        """Return a user's identity; `~` and variables in the folder's path are resolved here, at the time of use."""
        return cls(Path(os.path.expandvars(folder)).expanduser(), user)

    @classmethod
    def in_props(cls, props: Mapping[str, Any], user: str) -> EdgeIdentity:
        """Return a user's identity as a resource's inputs name its folder.

        Raises:
            CredentialError: they are of a version that asked with a key in place of a certificate.
        """
        if KEYS_FOLDER not in props:
            raise CredentialError.build(
                "what was deployed last does not say with which certificates the edge is asked",
                expected=f"{KEYS_FOLDER} in the state of the edge's stack",
                found="inputs of an older version",
                action="`shopsphere up edge`, without --refresh, writes it",
            )
        return cls.of(str(props[KEYS_FOLDER]), user)

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Authority, certificate and key."""
        return (self.folder / "ca.crt", self.folder / f"{self.user}.crt", self.folder / f"{self.user}.key")

    def context(self) -> ssl.SSLContext:
        """Return how to speak with an API: TLS 1.3, known by the edge's authority alone, with our own certificate.

        Raises:
            CredentialError: a file is missing, or is no certificate or key.
        """
        try:
            return mutual_trust(*self.files)
        except OSError as error:  # ssl's own errors are such
            found = f"{error.filename}: {error.strerror}" if error.filename else f"not a pair that fits: {error}"
            raise CredentialError.build(
                f"the certificate of {self.user} for the edge cannot be used",
                expected=", ".join(str(each) for each in self.files),
                found=found,
                action="put those files there (docs/edge.md), or correct shopsphere:edgeKeys in the edge's stack file",
            ) from error
