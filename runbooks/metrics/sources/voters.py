"""Each voter of the witness by itself: whether it takes part, how full its store is, and when certificates end."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import VOTER_IN_USE, VOTER_QUOTA, VOTER_SIZE, VOTER_UP, WITNESS_CERTIFICATE_ENDS
from runbooks.metrics.source import Source
from runbooks.readiness.p07_witness import places_of
from runbooks.readiness.pair_view import PairView


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Ask all voters at once; one that does not answer is an answer, too."""
    places = places_of(view)
    for each in view.access.witness.each_voter():
        voter = each.name(places)
        yield VOTER_UP.sample(not each.problem, voter=voter)
        sizes = ((VOTER_SIZE, each.size), (VOTER_IN_USE, each.in_use), (VOTER_QUOTA, each.quota))
        yield from (metric.sample(size, voter=voter) for metric, size in sizes if size is not None)
        if each.ends:
            yield WITNESS_CERTIFICATE_ENDS.sample(each.ends.timestamp(), certificate=f"voter {voter}")
    for name, end in view.access.witness_certificates().items():
        # One that cannot be read opens nothing: as good as ended.
        yield WITNESS_CERTIFICATE_ENDS.sample(end.timestamp() if end else 0, certificate=name)


SOURCE = Source("voters", 15, 4, ask, (VOTER_UP, VOTER_SIZE, VOTER_IN_USE, VOTER_QUOTA, WITNESS_CERTIFICATE_ENDS))
