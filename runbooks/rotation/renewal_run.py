"""One kind of secret on its way in one run: what its steps ask and do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from runbooks.engine import BlockedError, Journal
from runbooks.operator_lock import OperatorLock
from runbooks.pair_access import PairAccess
from runbooks.project_secrets import secrets_of
from runbooks.rotation.deployment import SiteDeployment
from runbooks.rotation.listing import first_end
from runbooks.rotation.pair_stacks import PairStacks
from runbooks.rotation.site_secrets import held_in, missing_at, places
from shopsphere.clients.cluster import PART_OF
from shopsphere.clients.postgres import CLUSTERS, follows
from shopsphere.deploy.verification import site_problems
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.renewal import SERVICE_PASSWORDS, SecretKind, Stage
from shopsphere.topology import Pair
from shopsphere.witness import PairRecord
from shopsphere.witness.record import Phase


@dataclass
class Rotation:
    """One run: the pair, its stacks and what it may go by.

    Attributes:
        access: the ways to the pair.
        stacks: both stacks' secrets.
        deployment: brings them to the sites.
        sites: the pair's two, the passive one first, as they were when the run began.
        old_sessions_until: when the last cookie of the key before the present one ends (UTC); None for unknown.
        sign_out: customers who have such a cookie may be signed out.
        journal: of this run; None in a dry run.
        lock: of rotations; None in a dry run.
    """

    access: PairAccess
    stacks: PairStacks
    deployment: SiteDeployment
    sites: tuple[str, str]
    old_sessions_until: datetime | None = None
    sign_out: bool = False
    journal: Journal | None = None
    lock: OperatorLock | None = None
    _renewals: dict[str, Renewal] = field(default_factory=dict, init=False, repr=False)

    @property
    def pair(self) -> Pair:
        """The pair whose secrets are renewed."""
        return self.access.pair

    def of(self, kind: SecretKind) -> Renewal:
        """Return one kind's part of this run."""
        return self._renewals.setdefault(kind.name, Renewal(self, kind))

    def require_lock(self) -> None:
        """Refuse to change anything when the lock of rotations is lost.

        Raises:
            LockLostError: it is lost, or may be.
        """
        if self.lock:
            self.lock.require()

    def require_steady(self) -> PairRecord:
        """Return the pair's record; refuse while somebody moves the pair.

        Raises:
            BlockedError: it is being moved.
            WitnessUnreachableError: no quorum answered.
        """
        record = self.access.witness.see().require_record(self.pair.name)
        mover = self.access.witness.locked_by()
        if record.phase is not Phase.STEADY or mover:
            raise BlockedError.because(
                f"{self.pair.name} is being moved: {mover.value if mover else record.reason}",
                action="wait until that is over; a rotation goes on afterwards with the same command",
            )
        return record


@dataclass
class Renewal:
    """One kind's part of a run.

    Attributes:
        rotation: the run.
        kind: the secrets.
    """

    rotation: Rotation
    kind: SecretKind

    @property
    def first(self) -> Stage:
        """The stage that the new secrets are written at.

        While the old certificates are used nothing connects any more once they have ended: then the new ones are used
        at once.
        """
        return Stage.USED if self.kind.keeps_other and ended(self.kind, self.old()) else self.kind.stages[0]

    def has_ended(self) -> bool:
        """Whether a certificate of this kind has ended that the stacks say is used, or said so before this run."""
        stacks = self.rotation.stacks
        return any(ended(self.kind, each) for each in (self.old(), stacks.of(stacks.stacks[0])))

    def recall(self, what: str) -> Any:
        """Return what this run remembered of this kind; None in a dry run."""
        journal = self.rotation.journal
        return journal.recall(f"{self.kind.name} {what}") if journal else None

    def remember(self, what: str, value: object) -> None:
        """Keep a value of this kind over a kill; no secret."""
        if self.rotation.journal:
            self.rotation.journal.remember(f"{self.kind.name} {what}", value)

    def old(self) -> dict[str, str]:
        """Return the secrets before this run, as far as a stack still holds them."""
        return self.rotation.stacks.find(self.kind, self.recall("old") or {})

    def new(self) -> dict[str, str]:
        """Return the secrets that this run made, or none when it made none that a stack holds whole."""
        found = self.rotation.stacks.find(self.kind, self.recall("new") or {})
        return found if set(found) == set(self.kind.names) else {}

    def make(self) -> None:
        """Make new secrets, and let both stacks hold them beside the old ones, or in their place without an overlap.

        A run that was killed in between goes on with those that it made, if a stack holds them all; nobody was given
        others.

        Raises:
            ShopSphereError: the stacks do not hold the same old ones.
        """
        stacks = self.rotation.stacks
        old = self.old()
        # Without an overlap, what was written already has taken the place of old ones, which nobody needs any more.
        begun = self.recall("old") is not None and not self.kind.keeps_other
        if set(old) != set(self.kind.names) and not begun:
            old = dict(stacks.require_equal(self.kind))
            self.remember("old", self.kind.fingerprints(old))
        new = self.new()
        if not new:
            new = self.kind.make(self.rotation.access.topology, self.rotation.pair)
            self.remember("new", self.kind.fingerprints(new))
        stacks.hold(self.kind.layout(self.first, self.kind.complete(old), new))

    def advance(self, stage: Stage) -> None:
        """Let both stacks hold what a later stage says; both sites have come to the one before."""
        self.remember("begun", int(stage))
        self.rotation.stacks.hold(self.kind.layout(stage, self.old_or_nothing(stage), self.new()))

    def old_or_nothing(self, stage: Stage) -> dict[str, str]:
        """Return the old secrets; for a stage that holds none of them, whatever is left."""
        old = self.old()
        return self.kind.complete(old) if stage is Stage.ALONE else old

    def stacks_hold(self, stage: Stage) -> bool:
        """Whether both stacks have come to a stage, or further; in the middle of a later one they are at none."""
        return self.is_past(stage) or self.rotation.stacks.stage(self.kind, self.old(), self.new()) >= stage

    def is_past(self, stage: Stage) -> bool:
        """Whether this run has begun a later stage, which it does only when both sites have come to this one."""
        return (self.recall("begun") or 0) > stage

    def bring(self, stage: Stage, site: str) -> None:
        """Deploy a site, and remember that it was deployed as a whole."""
        self.rotation.deployment.bring(site)
        self.remember(_brought(stage, site), value=True)

    def is_brought(self, stage: Stage, site: str) -> bool:
        """Whether a site has all of a stage, or of a later one, and its pods run with it.

        That a deployment ended is known from the journal: one that was killed may have changed a secret and no pod.
        """
        if self.is_past(stage):
            return True
        if not self.recall(_brought(stage, site)):
            return False
        return not self.missing_at(stage, site) and not self._unready(site)

    def missing_at(self, stage: Stage, site: str) -> list[str]:
        """Return where a site has not come to a stage."""
        access, declared = self.rotation.access, self.rotation.access.declaration_at(site)
        held = held_in(secrets_of(partial(access.cluster(site).items_of_known_kind, labelSelector=PART_OF), declared))
        wanted = places(declared, archived=access.topology.archive_of(site) is not None)
        return missing_at(held, self.kind, stage, self.old(), self.new(), wanted)

    def _unready(self, site: str) -> list[str]:
        cluster = self.rotation.access.cluster(site)
        found = site_problems(cluster, self.rotation.access.workloads(site))
        if not found and self.kind is SERVICE_PASSWORDS:
            found = passwords_not_set(
                cluster.items(CLUSTERS, labelSelector=PART_OF),
                secrets_of(partial(cluster.items, labelSelector=PART_OF)),
            )
        return found


def ended(kind: SecretKind, secrets: Mapping[str, str]) -> bool:
    """Whether a certificate of a kind has ended that is used, of those that are among these secrets."""
    end = first_end(kind, secrets)
    return end is not None and end <= datetime.now(UTC)


def _brought(stage: Stage, site: str) -> str:
    return f"{stage.name.lower()} at {site}"


def passwords_not_set(clusters: list[dict[str, Any]], secrets: list[dict[str, Any]]) -> list[str]:
    """Return the logins of services whose password a leading database has not taken from its secret yet.

    Args:
        clusters: CloudNativePG's documents of a site.
        secrets: those of the project at the site.
    """
    versions = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in secrets}
    late = []
    for each in clusters:
        database = next((known for known in DATABASES if known.namespace.name == each["metadata"]["namespace"]), None)
        if database is None or follows(each):
            continue  # a follower gets them by replication
        told = each.get("status", {}).get("managedRolesStatus", {}).get("passwordStatus", {})
        for login in database.logins:
            place = (database.namespace.name, database.login_secret(login.name))
            wanted = versions.get(place, {}).get("metadata", {}).get("resourceVersion")
            if wanted is None or told.get(login.role, {}).get("resourceVersion") != wanted:
                late.append(f"{each['metadata']['name']}: the password of {login.role} is not set yet")
    return late
