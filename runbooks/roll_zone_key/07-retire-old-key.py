"""The old key signs nothing any more, and is gone from this machine."""

from runbooks.engine.errors import BlockedError, LaterError
from runbooks.zone_roll.zone_roll import NEW, OLD, OLD_DS_UNTIL, ZoneRoll
from shopsphere.names.zone_proof import published_tags

TITLE = "Take the old key away"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Refuse while the parent could still lead anybody to the old key alone."""
    if not roll.is_over(OLD_DS_UNTIL):
        raise LaterError("after the old DS is in no cache")
    if not roll.parents_show(roll.key(NEW)):
        roll.wait_anew(OLD_DS_UNTIL)
        raise BlockedError.because(
            "the parent zone does not vouch for the new key alone any more",
            action="find out who changed it at the registrar; both keys sign until it is put right",
        )
    return f"key {roll.key(OLD).tag} is removed at every authority, and its file"


def act(roll: ZoneRoll) -> None:
    """One authority after the other: what the new key signed is proven wherever it comes from."""
    roll.withdraw(roll.key(OLD), stays=roll.key(NEW))


def verify(roll: ZoneRoll) -> bool:
    """No authority has it, no name server shows it, and its file is gone."""
    old, new = roll.key(OLD), roll.key(NEW)
    gone = all(keys == {new.dnskey} for keys in roll.there().values()) and roll.is_discarded(old)
    return gone and all(published_tags(server, roll.zone) == {new.tag} for server in roll.servers)
