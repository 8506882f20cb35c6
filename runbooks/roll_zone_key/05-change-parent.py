"""The parent zone vouches for the new key, and for no other: a person says so at the registrar."""

from runbooks.engine.errors import BlockedError, LaterError
from runbooks.zone_roll.zone_roll import (
    FIRST_DS_TTL,
    NEW,
    OLD,
    OLD_DS_TTL,
    OLD_DS_UNTIL,
    ZONE_UNTIL,
    ZoneRoll,
    registrar_words,
)

TITLE = "Have the DS of the new key in the parent zone, in place of the old one"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say what to type, at the registrar."""
    roll.key(NEW)
    if not roll.is_over(ZONE_UNTIL):
        raise LaterError("after every authority has signed with the new key for so long that no cache is without it")
    roll.require_alone()
    found = roll.vouched()
    # Kept before it is gone: for so long may the old one be in caches.
    known = [int(roll.recall(each) or 0) for each in (FIRST_DS_TTL, OLD_DS_TTL)]
    roll.remember(OLD_DS_TTL, str(max([*known, *(each.ttl for each in found.values())])))
    if not roll.parents_show(roll.key(NEW)):
        roll.wait_anew(OLD_DS_UNTIL)  # caches have the old one anew
        raise BlockedError.because(
            f"the parent zone has to be told by a person: {registrar_words(roll, found)}",
            action="write it at the registrar (in the lab: `shopsphere lab parent-ds`, with what follows IN DS), then "
            "call the same command again, or with --abort; until then both keys sign, for as long as you like",
        )
    return f"{roll.key(NEW).tag} in place of {roll.key(OLD).tag}"


def verify(roll: ZoneRoll) -> bool:
    """Every server of the parent zone shows it, and the TTL of the old one is known."""
    return bool(roll.recall(OLD_DS_TTL)) and roll.parents_show(roll.key(NEW))
