"""Nobody is led to the new key by the parent zone, and the old one signs everything."""

from runbooks.zone_roll.zone_roll import NEW, OLD, ZoneRoll

TITLE = "Check that no server of the parent zone shows the new key, and that every authority signs with the old one"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say which key stays; refuse where only the way forward is left."""
    roll.require_way_back()
    return (
        f"key {roll.key(OLD).tag} stays, and key {roll.key(NEW).tag} goes" if roll.recall(NEW) else "nothing was made"
    )


def verify(roll: ZoneRoll) -> bool:
    """So it is."""
    roll.require_way_back()
    return True
