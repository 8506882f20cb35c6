"""One key signs everything, at every authority, and the parent vouches for it: nothing else is under way."""

from runbooks.engine.errors import BlockedError
from runbooks.zone_roll.zone_roll import DOCS, FIRST_DS_TTL, OLD, ZoneRoll, told
from shopsphere.names.zone_keys import ZoneKey

TITLE = "Check that one key signs the zone everywhere, and that the parent zone vouches for it"
SECONDS = 60


def check(roll: ZoneRoll) -> str:
    """Say which key is replaced; refuse where answers would not be proven even now."""
    if roll.recall(OLD):
        roll.require_forward()
        roll.require_alone()
        return f"key {roll.key(OLD).tag} is being replaced"
    key = _only_key(roll)
    if not roll.parents_show(key):
        raise BlockedError.because(
            f"the parent zone does not vouch for key {key.tag} alone: {told(roll.vouched())}",
            action=f"let it show {roll.zone} IN DS {key.ds(roll.zone)}, and no other ({DOCS})",
        )
    roll.proofs([key])
    return f"key {key.tag} signs, and is replaced"


def act(roll: ZoneRoll) -> None:
    """Remember it."""
    # Before a person may have changed it: for so long may the DS of the old key be in caches.
    roll.remember(FIRST_DS_TTL, str(max(each.ttl for each in roll.vouched().values())))
    roll.remember(OLD, _only_key(roll).dnskey)


def verify(roll: ZoneRoll) -> bool:
    """It is known; what comes later changes what signs."""
    return bool(roll.recall(OLD))


def _only_key(roll: ZoneRoll) -> ZoneKey:
    held = roll.held()
    keys = frozenset[str]().union(*roll.there().values())
    if len(keys) != 1 or any(each != keys for each in held.values()):
        told = "; ".join(f"{name}: {len(each)} keys" for name, each in held.items())
        raise BlockedError.because(
            f"authorities do not sign with one and the same key: {told}",
            action="`shopsphere up edge --refresh` signs where that is missing; an unfinished roll of another machine "
            f"is finished there, or taken back with --abort ({DOCS})",
        )
    key = ZoneKey(next(iter(keys)))
    if key.dnskey in roll.retired():
        raise BlockedError.because(
            f"key {key.tag}, which signs, was retired: authorities came back with an old store",
            action=f"`shopsphere up edge --refresh` brings the key that is in use ({DOCS})",
        )
    return key
