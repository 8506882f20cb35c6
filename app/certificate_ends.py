"""When the certificates end by which a process and its brokers know each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509


def first_end(files: Iterable[str]) -> float | None:
    """Return when the first certificate in these files ends (Unix time); None where none is there or one is unreadable.

    They are read again each time: what was renewed is told before the process that read it is replaced.
    """
    try:
        chains = [x509.load_pem_x509_certificates(Path(file).read_bytes()) for file in files]
    except (OSError, ValueError):
        return None
    ends = [each.not_valid_after_utc.timestamp() for chain in chains for each in chain]
    return min(ends, default=None)
