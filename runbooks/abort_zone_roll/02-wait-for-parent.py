"""No cache has a DS of the new key, which the registrar may have been told and which may have been taken back."""

from runbooks.zone_roll.memory import WAIT_SECONDS
from runbooks.zone_roll.zone_roll import NEW_DS_UNTIL, OLD_DS_TTL, ZoneRoll

TITLE = "Wait until a DS of the new key is in no cache, should there ever have been one"
SECONDS = WAIT_SECONDS


def check(roll: ZoneRoll) -> str:
    """Say for how long."""
    return roll.waits(NEW_DS_UNTIL, "the TTL of the parent's DS, if this roll has asked for the new one; else no time")


def act(roll: ZoneRoll) -> None:
    """Begin to wait, from a moment at which no server of the parent shows it."""
    shown = roll.require_way_back()
    roll.begin_wait(NEW_DS_UNTIL, max([int(roll.recall(OLD_DS_TTL)), *(each.ttl for each in shown.values())]))


def verify(roll: ZoneRoll) -> bool:
    """The time is over, or this roll never came so far that a person was asked to change the DS."""
    return not roll.recall(OLD_DS_TTL) or roll.is_over(NEW_DS_UNTIL)
