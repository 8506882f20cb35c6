"""No cache has the DS of the old key."""

from runbooks.zone_roll.memory import WAIT_SECONDS
from runbooks.zone_roll.zone_roll import OLD_DS_TTL, OLD_DS_UNTIL, ZoneRoll

TITLE = "Wait until the old DS is in no cache"
SECONDS = WAIT_SECONDS


def check(roll: ZoneRoll) -> str:
    """Say for how long."""
    return roll.waits(OLD_DS_UNTIL, "the TTL of the parent's DS, from when all its servers show the new one")


def act(roll: ZoneRoll) -> None:
    """Begin to wait."""
    shown = max(each.ttl for each in roll.vouched().values())
    roll.begin_wait(OLD_DS_UNTIL, max(shown, int(roll.recall(OLD_DS_TTL) or 0)))


def verify(roll: ZoneRoll) -> bool:
    """The time is over."""
    return roll.is_over(OLD_DS_UNTIL)
