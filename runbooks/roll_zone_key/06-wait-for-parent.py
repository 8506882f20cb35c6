"""No cache has the DS of the old key."""

from runbooks.zone_roll.zone_roll import OLD_DS_TTL, OLD_DS_UNTIL, PATIENCE_SECONDS, ZoneRoll

TITLE = "Wait until the old DS is in no cache"
SECONDS = PATIENCE_SECONDS + 60


def check(roll: ZoneRoll) -> str:
    """Say for how long."""
    roll.require_patience(OLD_DS_UNTIL)
    return "the TTL of the parent's DS, from when all its servers show the new one"


def act(roll: ZoneRoll) -> None:
    """Begin to wait."""
    shown = max(each.ttl for each in roll.vouched().values())
    roll.wait_from_now(OLD_DS_UNTIL, max(shown, int(roll.recall(OLD_DS_TTL) or 0)))
    roll.require_patience(OLD_DS_UNTIL)


def verify(roll: ZoneRoll) -> bool:
    """The time is over."""
    return roll.is_over(OLD_DS_UNTIL)
