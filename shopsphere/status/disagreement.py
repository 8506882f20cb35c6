"""What each answer hides and all of them together show: sites that contradict the witness, copies that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shopsphere.status.model import Database, PairStatus, Problem, SiteFacts, SiteStatus

STEADY, SYNC_OFF = "steady", "off"


def disagreements(sites: Iterable[SiteStatus], pairs: Iterable[PairStatus]) -> Iterator[Problem]:
    """Yield what is wrong between a pair and its sites.

    Only in steady pairs: while a change is under way a site may differ, and the pair itself says that it changes.
    """
    steady = {pair.pair: pair for pair in pairs if pair.active and pair.phase == STEADY}
    for pair in steady.values():
        if pair.sync == SYNC_OFF:
            yield Problem(pair.pair, f"the ledger runs without a copy (sync off): losing {pair.active} loses payments")
    for site in sites:
        if site.facts is not None and site.region in steady:
            yield from _of_site(site.site, site.facts, steady[site.region].active)


def _of_site(site: str, facts: SiteFacts, active: str) -> Iterator[Problem]:
    if site == active:
        following = _names(each for each in facts.databases if each.role == "standby")
        if following:
            yield Problem(site, f"the witness says that it is active, and its databases only follow: {following}")
        alone = _names(each for each in facts.databases if each.role == "primary" and not _is_followed(each))
        if alone:
            yield Problem(site, f"no other site has what is written now: nobody follows {alone}")
        return
    left = _names(each for each in facts.databases if each.role == "primary")
    if left:
        yield Problem(
            site,
            f"{active} is active, and here is no copy of it but what a failover left: {left}; "
            f"`shopsphere rebuild {site}` makes one",
        )


def _is_followed(database: Database) -> bool:
    return any(stream.state == "streaming" for stream in database.replication)


def _names(databases: Iterable[Database]) -> str:
    return ", ".join(sorted(database.name for database in databases))
