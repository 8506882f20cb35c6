"""Whose certificates count when nothing else is said."""

from __future__ import annotations

import errno
import os
import re
import ssl
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import Lock

import certifi

_OF_CERTIFICATES = re.compile("CERTIFICATE|UNKNOWN_CA")
"""In OpenSSL's names of alerts that are about certificates."""


class _Shared(ssl.SSLContext):
    """A context whose connections several threads may begin at once.

    Clients of HTTP set the same protocols again before each connection. OpenSSL frees the list that was there, while
    another thread's new connection copies it without a lock: what is sent then is damaged, and the server ends it with
    `decode error`.
    """

    _protocols: tuple[str, ...] = ()
    _setting = Lock()

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Set them where they are other ones."""
        wanted = tuple(alpn_protocols)
        with self._setting:
            if wanted != self._protocols:
                super().set_alpn_protocols(wanted)
                self._protocols = wanted


def client_context(authority: Path | str | None = None) -> ssl.SSLContext:
    """Return a client's context with Python's own defaults, which threads may share.

    Args:
        authority: file with the authorities that count; the system's where none is given.

    Raises:
        OSError: the file is missing, or holds no certificate; errors of `ssl` are such.
    """
    context = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    if authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=str(authority))
    return context


@cache
def usual_trust() -> ssl.SSLContext:
    """Return the context with the authorities that httpx knows by itself, but only once.

    Reading every authority takes longer than a request to a service nearby, and httpx does it for each client anew,
    also for one that speaks no TLS.
    """
    return client_context(certifi.where())


def mutual_trust(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a client's context: TLS 1.3, one authority alone, and a certificate of our own.

    Raises:
        OSError: a file is missing, or is no certificate or key; errors of `ssl` are such.
    """
    for file in (authority, certificate, key):
        if not file.exists():  # ssl would not say which of the files it was
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    context = client_context(authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    return context


def is_refusal(error: BaseException | None) -> bool:
    """Whether a certificate is not believed at one of the ends: nothing was read of what was sent.

    Whatever else TLS ends with may come after a request was read, as a record that was damaged on the way back.
    """
    found = _of_tls(error)
    return isinstance(found, ssl.SSLCertVerificationError) or bool(
        found and _OF_CERTIFICATES.search(getattr(found, "reason", None) or str(found))
    )


def is_tls_failure(error: BaseException | None) -> bool:
    """Whether somebody is there, and TLS fails, for whatever reason.

    A line that is cut in the middle says nothing of that kind.
    """
    found = _of_tls(error)
    return found is not None and not isinstance(found, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _of_tls(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
