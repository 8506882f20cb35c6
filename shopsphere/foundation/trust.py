"""Whose certificates count when nothing else is said."""

from __future__ import annotations

import errno
import os
import re
import ssl
from functools import cache
from pathlib import Path

import httpx

_OF_CERTIFICATES = re.compile("CERTIFICATE|UNKNOWN_CA")
"""In OpenSSL's names of alerts that are about certificates."""


@cache
def usual_trust() -> ssl.SSLContext:
    """Return the context that httpx makes by itself, but only once.

    It reads every authority, which takes longer than a request to a service nearby, and httpx makes it for each client
    anew, also for one that speaks no TLS.
    """
    return httpx.create_ssl_context(trust_env=False)


def mutual_trust(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a client's context: TLS 1.3, one authority alone, and a certificate of our own.

    Raises:
        OSError: a file is missing, or is no certificate or key; errors of `ssl` are such.
    """
    for file in (authority, certificate, key):
        if not file.exists():  # ssl would not say which of the files it was
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    context = ssl.create_default_context(cafile=str(authority))
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
