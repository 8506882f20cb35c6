"""Figures in Prometheus' text format, for /metrics of each service."""

from __future__ import annotations

from collections.abc import Mapping

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def gauges(values: Mapping[str, float | None]) -> str:
    """Return the figures that are known, by their names."""
    return "".join(f"# TYPE {name} gauge\n{name} {value:g}\n" for name, value in values.items() if value is not None)


def whole_gauges(values: Mapping[str, float | None]) -> str:
    """The same of points in time, of which six digits are half a month."""
    return "".join(f"# TYPE {name} gauge\n{name} {value:.0f}\n" for name, value in values.items() if value is not None)
