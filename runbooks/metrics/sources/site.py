"""A site's cluster and its databases, as `shopsphere status` sees them."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics import registry
from runbooks.metrics.metric import Sample
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.status.model import Database, SiteFacts
from shopsphere.status.sites import site_facts

STREAMS, IS_SYNCHRONOUS = "streaming", "sync"
LEADS, FOLLOWS = "primary", "standby"


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Ask a site's API, and its databases through it."""
    access = view.access
    facts = site_facts(access.topology, site, access.cluster(site), access.kubectl(site), access.workloads(site))
    yield from of_site(site, facts)
    known = {each.name: each for each in DATABASES}
    other = view.pair.other_than(site)
    for database in facts.databases:
        if database.name in known:
            yield from of_database(site, database, known[database.name], other)


def of_site(site: str, facts: SiteFacts) -> Iterator[Sample]:
    """Yield what holds of a site without its databases."""
    power = facts.power
    yield registry.NODES.sample(facts.nodes.total, site=site)
    yield registry.NODES_READY.sample(facts.nodes.ready, site=site)
    yield registry.PODS.sample(facts.pods.total, site=site)
    yield registry.PODS_READY.sample(facts.pods.ready, site=site)
    yield registry.POWER_USED.sample(power.used_kw * 1000, site=site)
    yield registry.POWER_FREE.sample(power.free_kw * 1000, site=site)
    yield registry.POWER_LIMIT.sample(power.total_kw * 1000, site=site)
    yield registry.POWER_NEAR_LIMIT.sample(power.near_limit, site=site)


def of_database(site: str, found: Database, model: DatabaseModel, other: str) -> Iterator[Sample]:
    """Yield what a database says; of one that does not answer, nothing but that, and who may lead in its place.

    Args:
        site: where it is.
        found: its answer.
        model: which database.
        other: the pair's other site, whose cluster is the only follower that counts at one that leads.
    """
    labels = {"site": site, "database": model.name}
    answers = found.role in {LEADS, FOLLOWS}
    yield registry.DATABASE_UP.sample(answers, **labels)
    if found.may_lead is not None:
        yield registry.COMPLETE_COPIES.sample(len(found.may_lead), **labels)
    if not answers:
        return
    leads = found.role == LEADS
    yield registry.DATABASE_LEADS.sample(leads, **labels)
    if found.size_bytes is not None:
        yield registry.DATABASE_SIZE.sample(found.size_bytes, **labels)
    # Of a site of several instances the others of its own follow too; they say nothing of the way between the sites.
    own = f"{model.cluster(site)}-"
    streams = [
        each
        for each in found.replication
        if (each.peer == model.cluster(other) if leads else not each.peer.startswith(own))
    ]
    stream = streams[0] if streams else None
    yield registry.STREAMING.sample(stream is not None and stream.state == STREAMS, **labels)
    if leads:
        yield registry.SYNCHRONOUS.sample(stream is not None and stream.sync == IS_SYNCHRONOUS, **labels)
    if stream is None:
        return
    if stream.lag_bytes is not None:
        yield registry.LAG_BYTES.sample(stream.lag_bytes, **labels)
    # An active site learns of a replay only with the copy's next message, which on a quiet pair is up to 10 s later.
    if stream.lag_ms is not None and not leads:
        yield registry.LAG_SECONDS.sample(stream.lag_ms / 1000, **labels)


SOURCE = Source(
    "site",
    15,
    10,
    ask,
    (
        registry.NODES,
        registry.NODES_READY,
        registry.PODS,
        registry.PODS_READY,
        registry.POWER_USED,
        registry.POWER_FREE,
        registry.POWER_LIMIT,
        registry.POWER_NEAR_LIMIT,
        registry.DATABASE_UP,
        registry.DATABASE_LEADS,
        registry.DATABASE_SIZE,
        registry.STREAMING,
        registry.SYNCHRONOUS,
        registry.COMPLETE_COPIES,
        registry.LAG_BYTES,
        registry.LAG_SECONDS,
    ),
    of_each_site=True,
)
"""Each question enters the pods of both databases, which costs them some milliseconds of processor time."""
