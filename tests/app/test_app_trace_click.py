"""`shop trace-click`: finds a click in the log and in the tables, and moves nothing."""

from __future__ import annotations

import json

import pytest
from counting_place import Collector, process, settings_for
from insight_world import value_of
from postgres_cluster import Cluster

from app.errors import ShopError
from app.insight.settings import InsightSettings
from app.insight.tracing import require_click, trace_click

pytestmark = pytest.mark.requirement("the way of one click can be shown")


def test_a_click_is_found_at_each_place(counts: Cluster, broker: str) -> None:
    running = process(counts, broker)
    try:
        collector = Collector(broker)
        collector.play(10)
        collector.write(99, value_of(collector.batch(99, 0, product=2)))
        collector.flush()
        settings = InsightSettings.read(settings_for(counts, broker, SHOP_SITE="test"))
        found = json.loads(trace_click(settings, require_click(f"{99:016x}", "product-2"), 30))
        other = json.loads(trace_click(settings, require_click(f"{98:016x}", "product-2"), 1))
    finally:
        running.stop()
    assert not found["follows"]
    assert found["record"]["topic"] == "clicks"
    assert found["counted"]["next"] > found["record"]["offset"]
    assert found["record"]["batches"] == 1
    assert found["row"]["seen_ms"] >= found["record"]["written_ms"]
    assert (other["record"], other["counted"], other["row"]) == (None, None, None)


@pytest.mark.parametrize("tab", ["", "12", "g" * 16, "A" * 16])
def test_what_is_no_tab_is_refused(tab: str) -> None:
    with pytest.raises(ShopError, match="16 hexadecimal digits"):
        require_click(tab, "product-2")
