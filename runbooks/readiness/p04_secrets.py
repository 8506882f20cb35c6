"""P4: what both sites of the pair must share is equal, and no certificate runs out. Only hashes leave this module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from runbooks.project_secrets import secrets_of
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import PART_OF, Document
from shopsphere.clients.document_place import place_of
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.workloads import COLLECTORS, GATEWAY
from shopsphere.foundation.certificate_ends import ending
from shopsphere.foundation.certificates import first_end_in
from shopsphere.foundation.finding import Finding, fails, passes, together

NAME = "Shared secrets are equal at both sites, certificates are valid for two weeks and more"
VALID_FOR = timedelta(days=14)
OF_ONE_SITE = frozenset({GATEWAY.name, *(each.name for each in COLLECTORS)})
"""Namespaces whose secrets differ from site to site."""
DEPLOY = "`shopsphere up` brings the pair's secrets to both sites"
RENEW = "`shopsphere rotate PAIR --only database-certificates` renews those of databases (docs/rotate.md)"


def ask(view: PairView) -> Finding:
    """Compare the secrets of both sites, and read their certificates."""
    judged = view.judge_each({"shared secrets": partial(_equal, view)})
    certificates = view.judge_each({site: partial(_certificates, view, site) for site in (view.active, view.recovery)})
    return together([*judged, *certificates])


def _equal(view: PairView) -> Finding:
    sites = (view.active, view.recovery)
    hashes = {site: hashes_of(secrets_at(view, site)) for site in sites}
    documents = [view.document(site, database) for site in sites for database in DATABASES]
    return judge_equal(hashes, required=frozenset(name for each in documents for name in required_by(each)))


def _certificates(view: PairView, site: str) -> Finding:
    return judge_certificates(site, ends_of(secrets_at(view, site)), datetime.now(UTC))


def secrets_at(view: PairView, site: str) -> list[Document]:
    """Return the project's secrets at a site."""
    return secrets_of(lambda path: view.items(site, path, labelSelector=PART_OF))


def required_by(document: Document) -> list[str]:
    """Return `namespace/name` of each secret that a database's cluster cannot take over without."""
    spec = document["spec"]
    bootstrap = spec["bootstrap"].get("initdb") or spec["bootstrap"]["pg_basebackup"]
    certificates = {name for key, name in spec["certificates"].items() if key.endswith("Secret")}
    logins = {each["passwordSecret"]["name"] for each in spec.get("managed", {}).get("roles", ())}
    names = {*certificates, *logins, bootstrap["secret"]["name"]}
    return [f"{document['metadata']['namespace']}/{name}" for name in sorted(names)]


def hashes_of(secrets: Iterable[Document]) -> dict[str, str]:
    """Return the SHA-256 of each secret's content by `namespace/name`.

    Not the gateway's: its certificate for the public names may be each site's own. Nor the collectors': each site has
    accounts of its own at the archive.
    """
    return {
        place_of(each): hashlib.sha256(repr(sorted(each.get("data", {}).items())).encode()).hexdigest()
        for each in secrets
        if each["metadata"]["namespace"] not in OF_ONE_SITE
    }


def judge_equal(by_site: Mapping[str, Mapping[str, str]], *, required: frozenset[str]) -> Finding:
    """Judge hashes by site and place; what is `required` has to be there."""
    places = sorted(required.union(*by_site.values()))
    missing = [f"{place} is not at {site}" for place in places for site, held in by_site.items() if place not in held]
    different = [
        f"{place} differs" for place in places if len({held[place] for held in by_site.values() if place in held}) > 1
    ]
    if missing or different:
        return fails(", ".join([*missing, *different]), DEPLOY)
    return passes(f"{len(places)} shared secrets are equal")


def ends_of(secrets: Iterable[Document]) -> dict[str, datetime | None]:
    """Return when the first certificate of each `namespace/name key` ends (UTC); None where it cannot be read."""
    found: dict[str, datetime | None] = {}
    for secret in secrets:
        for key, content in secret.get("data", {}).items():
            if key.endswith(".crt"):
                found[f"{place_of(secret)} {key}"] = first_end_in(content)
    return found


def judge_certificates(site: str, ends: Mapping[str, datetime | None], now: datetime) -> Finding:
    """Judge when certificates end, by their place at a site."""
    unreadable = [f"{place} is no certificate" for place, end in ends.items() if end is None]
    known = {place: end for place, end in ends.items() if end is not None}
    short = [ending(place, end, now) for place, end in known.items() if end - now <= VALID_FOR]
    if unreadable or short:
        return fails(f"{site}: {', '.join([*unreadable, *short])}", RENEW)
    if not known:
        return passes(f"{site} has no certificates")
    return passes(f"the first certificate of {site} ends in {(min(known.values()) - now).days} days")
