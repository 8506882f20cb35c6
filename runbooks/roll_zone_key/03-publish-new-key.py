"""Every authority publishes the new key and signs with it too; the parent still vouches for the old one."""

from runbooks.zone_roll.zone_roll import NEW, OLD, ZONE_UNTIL, ZoneRoll
from shopsphere.names.zone_signing import bring_key, signing_keys

TITLE = "Let every authority sign with both keys"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say where."""
    return f"{', '.join(each.name for each in roll.authorities)} sign everything twice from now on"


def act(roll: ZoneRoll) -> None:
    """One authority after the other: what one of them signed, the old key proves wherever it comes from."""
    roll.wait_anew(ZONE_UNTIL)  # of an authority that came back without it caches have answers of before
    roll.tell_new_key()
    for authority in roll.authorities:
        if roll.key(NEW).dnskey not in signing_keys(authority, roll.zone):
            bring_key(authority, roll.zone, roll.key(NEW), roll.folder)


def verify(roll: ZoneRoll) -> bool:
    """Each has it, and each name server's answers are signed with it."""
    roll.require_alone()
    new = roll.key(NEW)
    has_it = all(new.dnskey in keys for keys in roll.held().values())
    return has_it and all(new.tag in each.signers for each in roll.proofs([roll.key(OLD), new]).values())
