"""What an instance gives up by a rewind, and whether that may be taken back without a word."""

from __future__ import annotations

from contextlib import suppress

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.rewinding.divergence import Divergence
from runbooks.rewinding.tail import Tail, name_tables, read_tail
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import FENCE
from shopsphere.estate.cluster_role import Role
from shopsphere.foundation.errors import one_line
from shopsphere.witness import Phase, Sync


def look(change: RoleChange, database: SiteDatabase, pod: str, apart: Divergence) -> Tail:
    """Return what a rewind of an instance takes back.

    Raises:
        BlockedError: it might be the only copy of payments, or the log does not say what it is.
        ShopSphereError: a site does not answer.
    """
    leads = database.leader()[2] == pod
    _require_rest(change, database, leads=leads)
    name = database.name if leads else pod
    try:
        tail = read_tail(database.cluster, database.model.namespace.name, pod, apart)
        with suppress(ClusterError):  # its PostgreSQL may be stopped
            name_tables(tail, database.cluster, database.model.namespace.name, pod)
        name_tables(tail, *change.counterpart(database).leader())
    except ClusterError as error:
        raise BlockedError.because(
            f"what {name} has more than {change.source} cannot be read: {one_line(error)}",
            action=f"`shopsphere rebuild {change.target} --whole` copies {database.name} anew and keeps its old volumes"
            + ("" if leads else f"; {copied_anew(change, database, pod)} copies this instance alone"),
        ) from error
    if database.model.synchronous and tail.has_rows and not change.accept_data_loss:
        raise BlockedError.because(
            f"{name} has what {change.source} lacks: {tail}; where customers were told of it, "
            f"{change.target} has the only copy",
            action=f"compare with the provider's books (`shop reconcile` at {change.source}); then --accept-data-loss "
            f"rewinds, and keeps these rows and their log on the volume; --whole copies anew, and keeps the volume",
        )
    return tail


def copied_anew(change: RoleChange, database: SiteDatabase, pod: str) -> str:
    """Return the command that lets CloudNativePG copy an instance beside the leading one anew."""
    kubectl = change.access.kubectl(database.site)
    return f"`{kubectl.line(None, database.model.namespace.name, 'delete', 'pvc,pod', pod)}`"


def unfenced(change: RoleChange, database: SiteDatabase) -> str:
    """Return the command that takes away a fence which a run has left."""
    words = ("annotate", "clusters.postgresql.cnpg.io", database.name, f"{FENCE}-")
    return f"`{change.access.kubectl(database.site).line(Role.OPERATE, database.model.namespace.name, *words)}`"


def _require_rest(change: RoleChange, database: SiteDatabase, *, leads: bool) -> None:
    """Refuse while the pair is moved, or where the witness says that what leads here has all that was acknowledged.

    An instance beside it is rewound when that one follows again, and the word is true.
    """
    record = change.ask_witness()
    if record.phase is not Phase.STEADY:
        raise BlockedError.because(
            f"{change.pair.name} is {record.phase}: {record.actor} is moving it ({record.reason})",
            action="wait for its end, then call the same command again",
        )
    if leads and database.model.synchronous and record.sync is Sync.ON:
        raise BlockedError.because(
            f"the witness says that {database.name} has all that was acknowledged, and it does not stream",
            action="call the same command again in 20 s: the agent of the active site says `sync off` by then",
        )
