"""Answers are proven by the new key alone."""

from runbooks.zone_roll.zone_roll import NEW, ZoneRoll

TITLE = "Check every name server's answers as a resolver does"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say what is asked."""
    return f"{len(roll.asked)} answers of each of {len(roll.servers)} name servers"


def verify(roll: ZoneRoll) -> bool:
    """The parent's DS leads to the new key, and that one signed everything."""
    new = roll.key(NEW)
    return roll.parents_show(new) and all(each.signers == {new.tag} for each in roll.proofs([new]).values())
