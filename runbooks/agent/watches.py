"""What wakes an agent: changes of the pair's record at the witness, and of the databases at its own site."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runbooks.permit import ALL, SELECTOR
from shopsphere.clients.cluster import PART_OF, Cluster
from shopsphere.clients.postgres import CLUSTERS
from shopsphere.clients.watch import Follow, Watch
from shopsphere.witness import Witness


class Watches:
    """The watches of one agent; without any, the agent learns of changes only by looking at intervals.

    Args:
        record: one for each voter.
        databases: one for each kind of object that is looked at in the site's own API.
    """

    def __init__(self, record: Sequence[Follow] = (), databases: Sequence[Follow] = ()) -> None:
        self._streams = tuple(record), tuple(databases)
        self._record: list[Watch] = []
        self._databases: list[Watch] = []

    def start(
        self, record: Callable[[], object], databases: Callable[[], object], tell: Callable[[str], object]
    ) -> None:
        """Open the watches; call `record` or `databases` whenever either may have changed."""
        of_record, of_databases = self._streams
        self._record = [Watch(each, record, tell) for each in of_record]
        self._databases = [Watch(each, databases, tell) for each in of_databases]
        for each in (*self._record, *self._databases):
            each.start()

    def of_record(self) -> bool:
        """Whether a voter would report a change: one open watch is enough, as every voter learns of all changes."""
        return any(each.is_open for each in self._record)

    def of_databases(self) -> bool:
        """Whether the site's API would report every change: all its watches are open."""
        return bool(self._databases) and all(each.is_open for each in self._databases)


def watches(
    witness: Witness, voters: Sequence[str], cluster: Callable[[], Cluster], also: Callable[[], object]
) -> Watches:
    """Return the watches of all that an agent looks at.

    Args:
        witness: the pair's.
        voters: their client addresses.
        cluster: returns this site's API; may raise ShopSphereError.
        also: called as well when something changes at the witness.
    """

    def voter(url: str) -> Follow:
        return lambda heard: witness.follow(url, lambda: (heard(), also()))

    return Watches(
        [voter(url) for url in voters],
        [
            lambda heard: cluster().follow(CLUSTERS, heard, labelSelector=PART_OF),
            lambda heard: cluster().follow(ALL, heard, labelSelector=SELECTOR),
        ],
    )
