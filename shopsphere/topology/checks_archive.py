"""Backups are at no site, and still inside the jurisdiction."""

from __future__ import annotations

from collections.abc import Iterator

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.model import Topology


def archive_problems(topology: Topology) -> Iterator[Problem]:
    """Find archives in countries that have no site of their jurisdiction: a backup is a copy of all its data."""
    for name, jurisdiction in topology.jurisdictions.items():
        known = [topology.sites[site] for site in jurisdiction.sites if site in topology.sites]
        countries = list(dict.fromkeys(site.country for site in known))
        archive = jurisdiction.archive
        if archive and known and archive.country not in countries:
            expected = f"a country of one of {name}'s sites: {', '.join(countries)}"
            yield Problem(f"jurisdictions.{name}.archive.country", expected, archive.country)
