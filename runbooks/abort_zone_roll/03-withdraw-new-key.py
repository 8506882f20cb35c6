"""The new key signs nothing, and is gone from this machine; it is never used again."""

from runbooks.zone_roll.zone_roll import NEW, OLD, ZoneRoll
from shopsphere.names.zone_proof import published_tags

TITLE = "Take the new key away"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Refuse where the parent shows it meanwhile."""
    roll.require_way_back()
    return f"key {roll.key(NEW).tag} is removed at every authority, and its file" if roll.recall(NEW) else "no key"


def act(roll: ZoneRoll) -> None:
    """One authority after the other: what was signed with both keys, the old one proves."""
    roll.require_way_back()
    roll.withdraw(roll.key(NEW), stays=roll.key(OLD))


def verify(roll: ZoneRoll) -> bool:
    """No authority has it, no name server shows it, and its file is gone."""
    if not roll.recall(NEW):
        return True
    new = roll.key(NEW)
    gone = all(new.dnskey not in keys for keys in roll.there().values()) and roll.is_discarded(new)
    return gone and all(new.tag not in published_tags(server, roll.zone) for server in roll.servers)
