"""When the certificates end with which the exporter's machine asks a site's API server: of each role that it has."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import ROLE_CERTIFICATE_ENDS
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Look at the kubeconfigs here; one that cannot be used opens nothing: as good as ended."""
    for role, end in view.access.role_certificates(site).items():
        yield ROLE_CERTIFICATE_ENDS.sample(end.timestamp() if end else 0, site=site, role=role)


SOURCE = Source("roles", 300, 3, ask, (ROLE_CERTIFICATE_ENDS,), of_each_site=True)
