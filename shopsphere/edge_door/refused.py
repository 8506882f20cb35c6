"""Certificates that a door believes no more, though they have not ended: stolen ones.

A list of serial numbers, one in each line, in hexadecimal; what follows a `#` is for people. It is read at each
request, so what is added counts at once. A line that cannot be read may mean any certificate: then none opens anything.
"""

from __future__ import annotations

import re
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole

REFUSED_FILE = "refused.txt"
_SERIAL = re.compile(r"[0-9a-f]{1,40}")
_LARGEST = 256 * 1024
"""Bytes of a list: some thousand certificates."""


class RefusedListError(ShopSphereError):
    """It is not known which certificates are refused."""


def serial_of(text: str) -> str:
    """Return a serial number as it is compared: small letters, no zeros in front.

    Raises:
        RefusedListError: it is none.
    """
    plain = text.strip().lower().replace(":", "")
    if not _SERIAL.fullmatch(plain):
        raise RefusedListError(f"{text[:60]!r} is no serial number of a certificate")
    return plain.lstrip("0") or "0"


def refused_serials(file: Path) -> frozenset[str]:
    """Return the serial numbers in a list.

    Raises:
        RefusedListError: there is no list, it is too large, or a line of it is no serial number.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise RefusedListError(f"{file} has more than {_LARGEST} bytes")
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedListError(f"the list of refused certificates cannot be read: {error}") from error
    plain = (line.partition("#")[0].strip() for line in lines)
    return frozenset(serial_of(each) for each in plain if each)


def ensure_list(file: Path) -> None:
    """Make an empty list where there is none: that nothing is refused is said, and not a file that is missing."""
    if not file.exists():
        write_whole(file, "# Serial numbers of certificates that open nothing any more (docs/edge.md).\n")


def refuse(file: Path, serial: str, why: str) -> None:
    """Add a certificate to a list; one that is in it already stays once.

    Raises:
        RefusedListError: the list cannot be read, or this is no serial number.
    """
    ensure_list(file)
    plain = serial_of(serial)
    if plain not in refused_serials(file):
        before = file.read_text()
        gap = "" if before.endswith("\n") or not before else "\n"
        write_whole(file, f"{before}{gap}{plain}  # {' '.join(why.split())}\n")
