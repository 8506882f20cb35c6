"""Answers are proven by the old key, as before the roll."""

from runbooks.zone_roll.zone_roll import OLD, ZoneRoll

TITLE = "Check every name server's answers as a resolver does"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say what is asked."""
    return f"{len(roll.asked)} answers of each of {len(roll.servers)} name servers"


def verify(roll: ZoneRoll) -> bool:
    """The old key signed everything."""
    old = roll.key(OLD)
    return all(old.tag in each.signers for each in roll.proofs([old]).values())
