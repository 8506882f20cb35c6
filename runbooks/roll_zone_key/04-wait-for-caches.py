"""No cache has an answer, or a list of keys, from before the new key."""

from runbooks.zone_roll.zone_roll import PATIENCE_SECONDS, ZONE_UNTIL, ZoneRoll

TITLE = "Wait until nothing that was signed by the old key alone is in a cache"
SECONDS = PATIENCE_SECONDS + 60


def check(roll: ZoneRoll) -> str:
    """Say for how long."""
    roll.require_patience(ZONE_UNTIL)
    return "the longest TTL of the zone, from when every authority signs with both"


def act(roll: ZoneRoll) -> None:
    """Begin to wait."""
    roll.wait_from_now(ZONE_UNTIL, roll.longest_ttl())
    roll.require_patience(ZONE_UNTIL)


def verify(roll: ZoneRoll) -> bool:
    """The time is over."""
    return roll.is_over(ZONE_UNTIL)
