"""The ways to a pair's buckets, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.restore.stretches import KeptRecord, Stretch, ended, grown
from runbooks.restore.told import Status, time_of, what_is_wrong
from runbooks.restore.wal_files import begins_listed, run_from
from shopsphere.clients.archive import ArchiveAccess, ArchiveError, Bucket, Kept
from shopsphere.estate.access import archive_access
from shopsphere.estate.archive_keys import IDENTITY_FILE, READER
from shopsphere.estate.archive_names import SEALED, Segment, base_key, kept_key, status_key
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, told
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import Pair, Topology

DOCUMENT = ".json"
NEVER = datetime.min.replace(tzinfo=UTC)


def keys_folder(topology: Topology, pair: Pair, environment: Environment) -> Path:
    """Return the folder with what an operator needs for the archive of a pair.

    Raises:
        ShopSphereError: the pair has no archive, or the folder is not known.
    """
    if topology.archive_of(pair.primary) is None:
        raise ShopSphereError.build(
            f"{pair.name} has no backups",
            expected=f"`archive` of jurisdiction {pair.jurisdiction} in topology.yaml",
            found="nothing",
            action="add it (docs/backups.md)",
        )
    folder = archive_access(environment).archive_keys
    if not folder:
        raise ShopSphereError.build(
            "where the keys of archives are is not known here",
            expected="status:archiveKeys in the edge's stack file: a folder with a folder archive-<jurisdiction>",
            found="nothing",
            action="`shopsphere up edge` writes it for the lab; for your own, fill in Pulumi.prod.yaml",
        )
    return Path(folder).expanduser() / f"archive-{pair.jurisdiction}"


def identity_file(topology: Topology, pair: Pair, environment: Environment) -> Path:
    """Return where the restorers' private key is, unless another file is named."""
    return keys_folder(topology, pair, environment) / IDENTITY_FILE


def bucket_of(topology: Topology, pair: Pair, environment: Environment, name: str) -> Bucket:
    """Return a bucket of the pair's archive.

    Raises:
        ShopSphereError: the way to it is not known.
    """
    secret = keys_folder(topology, pair, environment) / f"{READER}.secret"
    archive = topology.archive_of(pair.primary)
    if archive is None or not secret.exists():
        raise ShopSphereError.build(
            "the secret of the operator's account at the archive is not here",
            expected=f"the file {secret}",
            found="no such file",
            action="put it there (docs/backups.md); for the lab: `shopsphere lab up`",
        )
    return Bucket(ArchiveAccess.of(archive, READER, secret), name)


@dataclass(frozen=True)
class Backup:
    """What a bucket has of one database at one site.

    Attributes:
        database: its name.
        site: where it was collected.
        base_at: when the newest base backup began; None for none.
        covered_at: until when all that the database wrote is there; None for never.
        missing: names of segments that are missing after the newest base backup, or what the collector says of it.
        problem: what kept it from being looked at.
        role: whether the database led or followed then; empty where the collector does not say.
        timeline: that it was on.
        position: up to which its WAL is there; the bucket that goes furthest has most.
        stretches: between which times it can be restored, the oldest first. Those before the newest base backup are
            known from retention's last look alone.
        begun: since when there are backups of it; None for not known.
        kept_days: that topology.yaml promises; 0 for not known.
        looked_at: when retention looked last; None for never.
        pruned_at: when it did so and everything fitted together.
        pruning_problem: why retention removed nothing when it looked last.
        unread: documents of base backups that cannot be used, and why; they do not count.
        jurisdiction: whose archive it is; empty for not known.
    """

    database: str
    site: str
    base_at: datetime | None = None
    covered_at: datetime | None = None
    missing: tuple[str, ...] = field(default=())
    problem: str = ""
    role: str = ""
    timeline: int = 0
    position: str = ""
    stretches: tuple[Stretch, ...] = ()
    begun: datetime | None = None
    kept_days: int = 0
    looked_at: datetime | None = None
    pruned_at: datetime | None = None
    pruning_problem: str = ""
    unread: tuple[str, ...] = ()
    jurisdiction: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "database": self.database,
            "site": self.site,
            "base_backup": self.base_at.isoformat() if self.base_at else None,
            "wal_until": self.covered_at.isoformat() if self.covered_at else None,
            "missing": list(self.missing),
            "problem": self.problem,
            "role": self.role,
            "timeline": self.timeline,
            "position": self.position,
            "restorable": [each.as_json() for each in self.stretches],
            "begun": self.begun.isoformat() if self.begun else None,
            "kept_days": self.kept_days,
            "looked_at": self.looked_at.isoformat() if self.looked_at else None,
            "pruned_at": self.pruned_at.isoformat() if self.pruned_at else None,
            "pruning_problem": self.pruning_problem,
            "unread": list(self.unread),
        }


def backups_of(topology: Topology, pair: Pair, environment: Environment) -> list[Backup]:
    """Return what there is of each database of a pair at each site; what cannot be looked at says so."""
    wanted = [(database, site) for database in DATABASES for site in pair.sites]
    return at_each(wanted, lambda each: backup_at(topology, pair, environment, *each))


def backup_at(topology: Topology, pair: Pair, environment: Environment, database: DatabaseModel, site: str) -> Backup:
    """Return what there is of one database at one site; if it cannot be looked at, it says so."""
    archive = topology.archive_of(pair.primary)
    days = archive.keep_days if archive else 0
    try:
        bucket = bucket_of(topology, pair, environment, database.cluster(site))
        return replace(look(bucket, database.name, site), kept_days=days, jurisdiction=pair.jurisdiction)
    except Exception as error:  # noqa: BLE001 - whatever a bucket holds, it hides no other
        return Backup(database.name, site, problem=told(error), jurisdiction=pair.jurisdiction)


def look(bucket: Bucket, database: str, site: str) -> Backup:
    """Look at one bucket.

    Raises:
        ArchiveError: the archive does not answer.
    """
    system = newest_system(bucket)
    if not system:
        return Backup(database, site)
    bases, unread = bases_in(bucket, system)
    status, kept = status_of(bucket, system), kept_of(bucket, system)
    first = Segment.of(bases[-1]["first_segment"]) if bases else None
    missing: list[str] = []
    stretches = kept.stretches
    if first:
        known = [first, *(each for each in [Segment.of(each.last) for each in stretches[-1:]] if each)]
        written = {name: each.written for name, each in wal_of(bucket, system, min(known)).items()}
        run = run_from(written, first, begins_listed(written, first), status.newest)
        missing = [each.name for each in run.missing]
        stretches = grown(stretches, bases[-1], written, status.newest, status.covered_at)
    if status.gap and not missing:
        missing = [status.gap]
    begun = [*([kept.begun] if kept.begun else []), *(ended(each) for each in bases[:1])]
    return Backup(
        database,
        site,
        base_at=time_of(bases[-1]["started"]) if bases else None,
        covered_at=status.covered_at,
        missing=tuple(missing),
        role=status.role,
        timeline=status.timeline,
        position=status.position,
        stretches=stretches,
        begun=min(begun, default=None),
        looked_at=kept.looked_at,
        pruned_at=kept.pruned_at,
        pruning_problem=kept.problem,
        unread=tuple(unread),
    )


def newest_system(bucket: Bucket) -> str:
    """Return the system identifier of the database that was archived last; empty for none."""
    found = bucket.systems()
    if len(found) == 1:
        return found[0]
    return max(found, key=lambda each: status_of(bucket, each).covered_at or NEVER, default="")


def bases_of(bucket: Bucket, system: str) -> list[dict[str, Any]]:
    """Return what there is to know of each base backup that is there in full, the newest last.

    Raises:
        ArchiveError: the archive does not tell.
    """
    return bases_in(bucket, system)[0]


def bases_in(bucket: Bucket, system: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the same, and what is wrong with each document that cannot be used: its base backup does not count.

    Raises:
        ArchiveError: the archive does not tell.
    """
    listed = {each.key: each.size for each in bucket.listed(f"{system}/base/")}
    found: list[dict[str, Any]] = []
    unread: list[str] = []
    for key in [each for each in listed if each.endswith(DOCUMENT)]:
        facts = _facts(bucket, key)
        if wrong := what_is_wrong(facts, key.rpartition("/")[2].removesuffix(DOCUMENT)) if facts else "no document":
            unread.append(f"{key} cannot be used: {wrong}")
        elif is_whole(listed, system, facts):
            found.append(facts)
    return found, unread


def is_whole(sizes: Mapping[str, int], system: str, facts: Mapping[str, Any]) -> bool:
    """Whether a base backup is there beside what is told of it, in its full size.

    Args:
        sizes: of the objects that are there (bytes), by their keys.
        system: the database's identifier.
        facts: what is told of the base backup.
    """
    return bool(sizes.get(base_key(system, str(facts.get("label")))) == facts.get("bytes", -1))


def wal_of(bucket: Bucket, system: str, first: Segment | None = None) -> dict[str, Kept]:
    """Return the objects of WAL by the names of the files in them; from a segment on, if one is given.

    Raises:
        ArchiveError: the archive does not tell.
    """
    folder = f"{system}/wal/"
    listed = bucket.listed(folder, after=f"{folder}{first.name}" if first else "")
    return {each.key.rpartition("/")[2].removesuffix(SEALED): each for each in listed if each.key.endswith(SEALED)}


def status_of(bucket: Bucket, system: str) -> Status:
    """Return what the collector said of itself last; nothing where that is not there."""
    try:
        return Status.of(bucket.facts(status_key(system)))
    except ArchiveError:
        return Status()


def kept_of(bucket: Bucket, system: str) -> KeptRecord:
    """Return what retention wrote down when it looked last; nothing where that is not there, or cannot be read."""
    try:
        return KeptRecord.of(bucket.facts(kept_key(system)))
    except (ArchiveError, ValueError):
        return KeptRecord()


def _facts(bucket: Bucket, key: str) -> dict[str, Any]:
    try:
        return bucket.facts(key)
    except ArchiveError as error:
        if isinstance(error.__cause__, ValueError):  # a damaged document is no base backup, and hides no other one
            return {}
        raise
