"""Samples as prometheus_client exposes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from runbooks.metrics.metric import PAIR, Sample

Samples = Callable[[], Iterable[tuple[str, Sample]]]
"""Returns what is known now, with the pair that it is about."""


class Gauges(Collector):
    """What is known, collected anew at each scrape."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a family of each metric that has a sample."""
        families: dict[str, GaugeMetricFamily] = {}
        for pair, sample in self._samples():
            metric = sample.metric
            family = families.get(metric.name)
            if family is None:
                family = GaugeMetricFamily(metric.name, metric.meaning, labels=(PAIR, *metric.labels))
                families[metric.name] = family
            family.add_metric((pair, *sample.labels), sample.value)
        yield from families.values()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: without this the registry would collect once to see what there is."""
        return ()


def registry_of(samples: Samples) -> CollectorRegistry:
    """Return a registry that exposes these samples and nothing of this process."""
    registry = CollectorRegistry()
    registry.register(Gauges(samples))
    return registry
