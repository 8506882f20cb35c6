"""When the certificates of a site end: of the pair's authority, its databases, their replication, and the gateway.

They are read from the site's secrets, as `shopsphere ready` reads them; only times leave this module.
"""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import CERTIFICATE_ENDS, CERTIFICATES_UNREADABLE
from runbooks.metrics.source import Source
from runbooks.readiness.p04_secrets import ends_of, secrets_at
from runbooks.readiness.pair_view import PairView

EVERY = 300.0


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Read the certificates of a site."""
    ends = ends_of(secrets_at(view, site))
    for place, end in ends.items():
        if end is not None:
            where, _, key = place.partition(" ")
            namespace, _, secret = where.partition("/")
            labels = {"namespace": namespace, "secret": secret, "key": key}
            yield CERTIFICATE_ENDS.sample(end.timestamp(), site=site, **labels)
    yield CERTIFICATES_UNREADABLE.sample(sum(end is None for end in ends.values()), site=site)


SOURCE = Source("certificates", EVERY, 10, ask, (CERTIFICATE_ENDS, CERTIFICATES_UNREADABLE), of_each_site=True)
