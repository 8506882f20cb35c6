"""When the certificates of a site end: of the pair's authority, its databases, their replication, and the gateway.

A watcher reads no secret. The database operator tells the ends of what it uses, and the gateway shows its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import CERTIFICATE_ENDS, CERTIFICATES_UNREADABLE
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.estate.databases import AUTHORITY_SECRET, DATABASES
from shopsphere.estate.workloads import GATEWAY

EVERY = 300.0
_GATEWAYS_SECRET = "gateway-tls"  # noqa: S105 the name of a secret is no secret
_FORM = "%Y-%m-%d %H:%M:%S %z"

End = tuple[str, str, str, datetime | None]
"""Namespace, secret and key of a certificate, and when it ends (UTC); None where that cannot be read."""


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Ask the operator about each database of a site, and its gateway."""
    ends: list[End] = []
    for database in DATABASES:
        ends += ends_in(view.document(site, database))
    shown = view.once(f"the certificate that {site} shows", lambda: view.access.gateway_certificate_end(site))
    ends.append((GATEWAY.name, _GATEWAYS_SECRET, "tls.crt", shown))
    for namespace, secret, key, end in ends:
        if end is not None:
            labels = {"namespace": namespace, "secret": secret, "key": key}
            yield CERTIFICATE_ENDS.sample(end.timestamp(), site=site, **labels)
    yield CERTIFICATES_UNREADABLE.sample(sum(end is None for *_, end in ends), site=site)


def ends_in(document: Document) -> list[End]:
    """Return what CloudNativePG says about the certificates of a database, each once.

    Raises:
        UnreadableAnswerError: it says nothing of them.
    """
    metadata = document["metadata"]
    told = document.get("status", {}).get("certificates", {}).get("expirations")
    if not isinstance(told, dict) or not told:
        where = f"{metadata['namespace']}/{metadata['name']}"
        raise UnreadableAnswerError(f"{where}: its operator does not say when its certificates end")
    return [
        (metadata["namespace"], secret, "ca.crt" if secret == AUTHORITY_SECRET else "tls.crt", _read(end))
        for secret, end in sorted(told.items())
    ]


def _read(text: object) -> datetime | None:
    """Return a time as Go writes it, as in `2027-11-30 12:00:00 +0000 UTC`."""
    try:
        return datetime.strptime(str(text).rpartition(" ")[0], _FORM).astimezone(UTC)
    except ValueError:
        return None


SOURCE = Source("certificates", EVERY, 10, ask, (CERTIFICATE_ENDS, CERTIFICATES_UNREADABLE), of_each_site=True)
