"""A new key is on this machine, and nowhere else."""

from runbooks.zone_roll.zone_roll import NEW, ZoneRoll
from shopsphere.names.zone_keys import ALGORITHM

TITLE = "Make a new key and keep it beside the present one"
SECONDS = 30


def check(roll: ZoneRoll) -> str:
    """Say where; refuse where a key is in use whose file is lost."""
    if roll.recall(NEW) and not roll.is_kept(roll.key(NEW)):
        roll.require_nowhere(roll.key(NEW))
    return f"a key of {ALGORITHM} in {roll.folder}"


def act(roll: ZoneRoll) -> None:
    """Make it, unless this run has made one: no other file is taken, which may be a retired or stolen key."""
    if not roll.recall(NEW) or not roll.is_kept(roll.key(NEW)):
        roll.make_new_key()


def verify(roll: ZoneRoll) -> bool:
    """Its file is there; where the parent vouches for it already, the only way is forward without the file."""
    if not roll.recall(NEW):
        return False
    new = roll.key(NEW)
    return roll.is_kept(new) or (all(new.dnskey in keys for keys in roll.held().values()) and roll.parents_show(new))
