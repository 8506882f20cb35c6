"""What the checks of `shopsphere ready` say; one that could not be answered has no sample."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import CHECK_PASSED
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from runbooks.readiness.score import score
from shopsphere.foundation.finding import Verdict


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Ask all checks side by side."""
    for finding in score(view).findings:
        if finding.verdict is not Verdict.UNKNOWN:
            yield CHECK_PASSED.sample(finding.passed, check=finding.check)


SOURCE = Source("checks", 120, 10, ask, (CHECK_PASSED,))
"""Ten checks ask some forty questions of the pair: every two minutes is often enough for what `ready` is about."""
