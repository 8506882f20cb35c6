"""A cache that was told something beside the CDN's API: what drift and its watch say of it."""

from __future__ import annotations

import pytest
from edge_fakes import FakeCdn
from test_drift_edge import Look, cdn, look, servers, told  # noqa: F401 three are fixtures
from test_drift_watching import Edge, edge  # noqa: F401 a fixture

from shopsphere.drift.model import Kind
from shopsphere.foundation.finding import Severity

CACHE = "the CDN's cache"
ANOTHER = {"name": "configuration", "declared": "sha256:a", "live": "sha256:b, loaded as tap"}
LONGER = {"name": "default_ttl", "declared": "120", "live": "86401"}


@pytest.mark.requirement("a cache that was told something beside the CDN's API is found, with what takes it back")
def test_what_a_cache_was_told_is_found(look: Look, cdn: FakeCdn) -> None:  # noqa: F811 fixtures
    cdn.differences = [ANOTHER, LONGER]
    found = look().drifts
    assert told(found) == [
        (CACHE, "configuration", Kind.CHANGED, Severity.CRITICAL, True),
        (CACHE, "default_ttl", Kind.CHANGED, Severity.HIGH, False),
    ]
    assert {each.repair for each in found} == {
        "curl -fsS --cacert '/edge keys/ca.crt' --cert '/edge keys/deployer.crt' --key '/edge keys/deployer.key' "
        "-X POST https://10.0.0.3:8082/v1/cache"
    }


def test_the_watch_asks_the_cache_too(edge: Edge, cdn: FakeCdn) -> None:  # noqa: F811 fixtures
    cdn.differences = [LONGER]
    edge.watch.step()
    assert [(each.object, each.field) for each in edge.said[-1].drifts] == [(CACHE, "default_ttl")]
    cdn.differences = []
    edge.watch.step()
    assert edge.said[-1].drifts == ()
