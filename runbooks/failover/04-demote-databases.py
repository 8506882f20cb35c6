"""The active site's databases shut down cleanly and become replicas; the other site receives their last record.

Meanwhile the names begin to lead readers to the other site: by the time when it takes writes, resolvers know the way.
"""

from contextlib import suppress

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import begin_demotion, wake
from runbooks.engine import bounded
from runbooks.last_record import EndOfStream, await_last_record, has_received
from runbooks.moving_names import lead_readers_away
from runbooks.pair_access import AUTHORITY_SECONDS
from runbooks.site_database import SiteDatabase
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError

TITLE = "Make the active site's databases replicas; lead readers away"
SECONDS = 90
_RECEIPT_SECONDS = 30
_LOOK_EVERY = 0.1  # each look waits in the pod
_AUTHORITIES_SECONDS = 3 * AUTHORITY_SECONDS  # each is asked three times, side by side

VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what would be demoted."""
    names = ", ".join(each["metadata"]["name"] for each in change.at_source(SiteDatabase.last_document))
    return (
        f"{names} shut down after their last row, which {change.target} receives, and follow it; "
        f"names lead readers to {change.target}"
    )


def act(change: RoleChange) -> None:
    """Demote both, and wait until the other site has the last record of each; until then all can be taken back."""
    led_away = bounded.start(lambda: lead_readers_away(change), name="lead readers away")
    change.at_source(lambda database: _hand_over(change, database))
    with suppress(ShopSphereError):  # an authority that hangs: a later step tells it the new site
        bounded.answer_of(led_away, what="the authorities", seconds=_AUTHORITIES_SECONDS)


def verify(change: RoleChange) -> bool:
    """Both last records have arrived, as the journal says, or the change is past it."""
    arrived = all(change.recall(f"received-{model.name}") for model in DATABASES)
    return arrived or change.is_made_in(change.last_record())


def _hand_over(change: RoleChange, database: SiteDatabase) -> None:
    kind, receiver = database.model.name, change.counterpart(database)
    stream = EndOfStream(receiver)
    if not change.recall(f"last-{kind}"):
        _demote(change, database)
    location = str(change.recall(f"last-{kind}"))
    wait_until(
        lambda: stream.is_beyond(location) or has_received(receiver, location),
        what=f"{receiver.name} to have the old site's last record; without that site: repeat with --unplanned",
        seconds=_RECEIPT_SECONDS,
        interval=_LOOK_EVERY,
    )
    change.remember(f"received-{kind}", value=True)


def _demote(change: RoleChange, database: SiteDatabase) -> None:
    kind, document = database.model.name, database.last_document()
    known = change.recall(f"before-{kind}")
    if known is None:
        known = document.get("status", {}).get("demotionToken", "")
        change.remember(f"before-{kind}", known)
    begin_demotion(database, document, peer=change.target, lock=change.lock)
    last, look = "", database.last_document

    def has_ended() -> bool:
        nonlocal last, look
        last = await_last_record(database, look(), before=known)
        look = database.document
        if not last:
            wake(database)
        return bool(last)

    wait_until(has_ended, what=f"{database.name} to have ended as a primary", seconds=SECONDS, interval=_LOOK_EVERY)
    change.remember(f"last-{kind}", last)
