"""When the certificates of the edge's APIs end: the exporter's own, the authority's, and those that the doors show."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import EDGE_CERTIFICATE_ENDS
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Read the files of this machine, and shake hands with each door."""
    for name, end in view.access.edge_certificates().items():
        # One that cannot be read opens nothing: as good as ended.
        yield EDGE_CERTIFICATE_ENDS.sample(end.timestamp() if end else 0, certificate=name)


SOURCE = Source("edge", 300, 10, ask, (EDGE_CERTIFICATE_ENDS,))
