"""What DS records of the parent zone say of a key: by which digests resolvers get to it, and what nobody here can tell.

A parent may make digests of its own kind from a key that it was given: SHA-384 in place of SHA-256, or both.
"""

from __future__ import annotations

from collections.abc import Iterable

from shopsphere.names.zone_keys import DIGESTS, ZoneKey

CHECKED = frozenset({2, 4})
"""Types of digests that every resolver goes by which checks (RFC 8624, 3.3); others are ignored by some, or by all."""


def leads(shown: Iterable[str], zone: str, key: ZoneKey) -> bool:
    """Whether every resolver that checks gets from one of these DS to a key.

    Args:
        shown: DS as `zone_keys.ds_text` writes them.
        zone: fully qualified.
        key: public half.
    """
    return any(_type(each) in CHECKED and _is_of(each, zone, key) for each in shown)


def may_lead(shown: Iterable[str], zone: str, key: ZoneKey) -> bool:
    """Whether any resolver may get from one of these DS to a key; also by a digest that cannot be computed here."""
    return any(_names(each, key) if _type(each) not in DIGESTS else _is_of(each, zone, key) for each in shown)


def leads_alone(shown: Iterable[str], zone: str, key: ZoneKey) -> bool:
    """Whether these DS lead every resolver that checks to a key, and none of them is known to be of anything else."""
    found = list(shown)
    return leads(found, zone, key) and all(_is_of(each, zone, key) for each in found)


def is_checked(shown: Iterable[str]) -> bool:
    """Whether any of these DS has a digest that every resolver goes by; without one a zone counts as unsigned."""
    return any(_type(each) in CHECKED for each in shown)


def strange(shown: Iterable[str], zone: str, keys: Iterable[ZoneKey]) -> list[str]:
    """Return the DS that lead to none of these keys, and cannot."""
    known = list(keys)
    return sorted(each for each in set(shown) if not any(may_lead([each], zone, key) for key in known))


def unchecked(shown: Iterable[str]) -> str:
    """Say which of these DS have a digest that resolvers do not all go by; empty where none has."""
    found = sorted({_type(each) for each in shown} - CHECKED)
    if not found:
        return ""
    told = ", ".join(f"{each} ({DIGESTS[each]}, ignored by many)" if each in DIGESTS else str(each) for each in found)
    return f"digest type {told} is none that all resolvers check: 2 (SHA-256) and 4 (SHA-384) are"


def _is_of(ds: str, zone: str, key: ZoneKey) -> bool:
    kind = _type(ds)
    return kind in DIGESTS and ds == key.ds(zone, kind)


def _names(ds: str, key: ZoneKey) -> bool:
    tag, algorithm, *_ = ds.split()
    return (int(tag), int(algorithm)) == (key.tag, int(key.rdata.algorithm))


def _type(ds: str) -> int:
    return int(ds.split()[2])
