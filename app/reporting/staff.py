"""Who may sign in: a file of lines `name:hash`, with hashes as app/customers/passwords.py makes them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from app.customers.passwords import HASH_BYTES, SALT_BYTES
from app.errors import ShopError

MOST_STAFF = 1000
LARGEST_COST, LARGEST_BLOCK, LARGEST_PARALLEL = 2**17, 16, 16
"""A hash beyond it would take all of a pod's memory or time for one sign-in."""
_NAME = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_HASH = re.compile(r"scrypt(-opaque)?\$(\d{1,6})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")


class StaffFileError(ShopError):
    """The file cannot be used; the message names a line and holds none of its hash."""


def staff_of(text: str) -> Mapping[str, str]:
    """Return the hashes by names; empty lines and those that begin with # are skipped.

    Raises:
        StaffFileError: a line is no `name:hash`, a name is there twice, or there is none.
    """
    staff: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, stored = line.strip().partition(":")
        if not _NAME.fullmatch(name) or not _is_hash(stored):
            raise StaffFileError(f"expected `name:hash` in line {number}, found a name or a hash that is none")
        if name in staff:
            raise StaffFileError(f"expected each name once, found {name!r} again in line {number}")
        staff[name] = stored
    if not 1 <= len(staff) <= MOST_STAFF:
        raise StaffFileError(f"expected 1 to {MOST_STAFF} lines `name:hash`, found {len(staff)}")
    return staff


def _is_hash(stored: str) -> bool:
    found = _HASH.fullmatch(stored)
    if found is None:
        return False
    cost, block, parallel = (int(found[group]) for group in (2, 3, 4))
    is_bounded = cost <= LARGEST_COST and 1 <= block <= LARGEST_BLOCK and 1 <= parallel <= LARGEST_PARALLEL
    try:
        lengths = [len(base64.b64decode(found[group], validate=True)) for group in (5, 6)]
    except ValueError:
        return False
    return is_bounded and cost > 1 and cost & (cost - 1) == 0 and lengths == [SALT_BYTES, HASH_BYTES]
