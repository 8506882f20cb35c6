"""No cache has an answer, or a list of keys, from before the new key."""

from runbooks.zone_roll.memory import WAIT_SECONDS
from runbooks.zone_roll.zone_roll import ZONE_UNTIL, ZoneRoll

TITLE = "Wait until nothing that was signed by the old key alone is in a cache"
SECONDS = WAIT_SECONDS


def check(roll: ZoneRoll) -> str:
    """Say for how long."""
    return roll.waits(ZONE_UNTIL, "the longest TTL of the zone, from when every authority signs with both")


def act(roll: ZoneRoll) -> None:
    """Begin to wait."""
    roll.begin_wait(ZONE_UNTIL, roll.longest_ttl())


def verify(roll: ZoneRoll) -> bool:
    """The time is over."""
    return roll.is_over(ZONE_UNTIL)
