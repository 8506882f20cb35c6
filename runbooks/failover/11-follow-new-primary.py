"""The site that was active streams from the one that is, so that the pair has two copies again."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import all_follow, is_settled, settle_as_follower

TITLE = "Wait until the site that was active follows"
SECONDS = 120
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say who follows whom."""
    return f"{change.source} follows {change.target} on its new timeline"


def act(change: RoleChange) -> None:
    """Make them look: the demotion told them whom to follow, but CloudNativePG may wait 10 s before it starts them.

    And let go of what they waited for as primaries, or their next promotion would.
    Not sooner, because their start takes processor time from the promotion, which customers wait for.
    """
    change.at_source(lambda database: settle_as_follower(database, lock=change.lock))


def verify(change: RoleChange) -> bool:
    """Both databases have their follower, which waits for nobody."""
    follow = all_follow(change.access, change.target, change.source)
    return follow and all(change.at_source(lambda database: is_settled(database.document())))
