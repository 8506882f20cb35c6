"""What a status consists of, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """Some of a total, as in nodes that are ready."""

    ready: int
    total: int


@dataclass(frozen=True)
class Power:
    """A site's power.

    Attributes:
        used_kw: base load of the nodes plus what pods are charged (kW).
        free_kw: what further pods can still be charged (kW).
        total_kw: what the site may draw (kW).
        near_limit: the topology's warning level is reached.
    """

    used_kw: float
    free_kw: float
    total_kw: float
    near_limit: bool


@dataclass(frozen=True)
class Storage:
    """A site's pinned volumes.

    Attributes:
        volumes: bound ones of all.
        used_gib: capacity of the bound ones (GiB).
        total_gib: capacity of all (GiB).
    """

    volumes: Count
    used_gib: float
    total_gib: float


@dataclass(frozen=True)
class Replication:
    """One stream of changes, seen from one of its ends.

    Attributes:
        peer: the other end: a standby's name as seen from the primary, the sender's host as seen from a standby.
        state: `streaming` when all is well.
        sync: `sync`, `async` …, as the primary sees it; empty at a standby.
        lag_ms: how far replay is behind (ms); None when the instance cannot tell.
        lag_bytes: the same in bytes of log.
    """

    peer: str
    state: str
    sync: str
    lag_ms: float | None
    lag_bytes: int | None


@dataclass(frozen=True)
class Database:
    """One database at one site.

    Attributes:
        name: as in `ledger`.
        role: `primary` when it takes writes, `standby` when it follows, `unknown` when it does not answer.
        condition: what its operator says of it.
        size_bytes: of all its databases together; None when it does not answer.
        replication: streams from or to it.
        problem: empty when all is well.
        may_lead: other instances of its site that may lead in its place; None where that is nobody's question, as at a
            site of one instance.
    """

    name: str
    role: str
    condition: str
    size_bytes: int | None
    replication: tuple[Replication, ...]
    problem: str
    may_lead: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SiteFacts:
    """What a site that answers says of itself.

    `unready` has a line for each workload that has fewer ready pods than it is to have, or is not there.
    """

    nodes: Count
    pods: Count
    racks: int
    power: Power
    storage: Storage
    databases: tuple[Database, ...]
    unready: tuple[str, ...] = ()


@dataclass(frozen=True)
class SiteStatus:
    """One site.

    Attributes:
        site: its name.
        region: its pair, or `hq`.
        role: `active` when its databases take writes, `passive` when they follow, `mixed` when they disagree, `none`
            when it has none, `unknown` when they do not answer.
        facts: None when its API does not answer.
        problem: why it does not, or what is wrong; empty when all is well.
    """

    site: str
    region: str
    role: str
    facts: SiteFacts | None
    problem: str


@dataclass(frozen=True)
class NameAnswer:
    """What one name server answers to one name.

    Attributes:
        name: the public name.
        server: name server, as in `ns1 (10.99.0.53)`.
        asked_for: jurisdiction on whose clients' behalf was asked; empty when the answer does not depend on it.
        addresses: what it answered.
        sites: names of the sites with these addresses, where known.
        problem: why there is no answer; empty when there is one.
    """

    name: str
    server: str
    asked_for: str
    addresses: tuple[str, ...]
    sites: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class PairStatus:
    """What the witness says of a pair.

    Attributes:
        pair: its name.
        epoch: number of the change that made the active site active; 0 when it is not known.
        active: site that may write.
        phase: `steady`, or what a change has announced.
        lease_holder: site that holds the right to write now; empty for nobody.
        sync: `on` when a failover would lose no payment.
        last_change: why, by whom and when.
        problem: why nothing is known, or what is wrong; empty when all is well.
    """

    pair: str
    epoch: int = 0
    active: str = ""
    phase: str = ""
    lease_holder: str = ""
    sync: str = ""
    last_change: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Restorable:
    """Between which times a database of a pair can be restored to any time.

    Attributes:
        pair: its name.
        database: as in `ledger`.
        since: the first of these times, in ISO 8601; empty for none.
        until: the last one.
        kept_days: days that are promised; 0 for not known.
        note: why there is none, where nothing is wrong with the archive.
        problem: empty when the archive answered.
    """

    pair: str
    database: str
    since: str = ""
    until: str = ""
    kept_days: int = 0
    note: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        whose: pair, site or name server.
        what: what is wrong with it, and what to do where that is known.
    """

    whose: str
    what: str


@dataclass(frozen=True)
class Status:
    """Everything that was asked for.

    Attributes:
        between: what is wrong between pairs and sites that report no problem of their own.
        restorable: what the archives have of each database.
    """

    sites: tuple[SiteStatus, ...]
    names: tuple[NameAnswer, ...]
    pairs: tuple[PairStatus, ...] = ()
    between: tuple[Problem, ...] = ()
    restorable: tuple[Restorable, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong; a name server that does not answer is named once."""
        silent: dict[str, list[NameAnswer]] = {}
        for each in self.names:
            if each.problem:
                silent.setdefault(each.server, []).append(each)
        return (
            *(Problem(each.pair, each.problem) for each in self.pairs if each.problem),
            *(Problem(each.site, each.problem) for each in self.sites if each.problem),
            *self.between,
            *(Problem(each.pair, each.problem) for each in self.restorable if each.problem),
            *(Problem(server, _first_of(answers)) for server, answers in silent.items()),
        )

    @property
    def is_well(self) -> bool:
        """Whether everything answered and nothing is wrong."""
        return not self.problems


def _first_of(answers: list[NameAnswer]) -> str:
    more = f"; {len(answers) - 1} more names without an answer" if len(answers) > 1 else ""
    return f"{answers[0].problem}{more}"


def role_of(databases: tuple[Database, ...]) -> str:
    """Return a site's role from those of its databases."""
    roles = {database.role for database in databases}
    if not roles:
        return "none"
    if len(roles) > 1:
        return "mixed"
    return {"primary": "active", "standby": "passive"}.get(roles.pop(), "unknown")
