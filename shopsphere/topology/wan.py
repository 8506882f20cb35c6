"""Distances between places."""

from __future__ import annotations

from pydantic import Field

from shopsphere.topology.base import Frozen, Name


class Distance(Frozen):
    """Round-trip time between two places."""

    between: tuple[Name, Name] = Field(title="Between", description="Two different sites; the order means nothing.")
    rtt: float = Field(title="Round-trip time", description="Round-trip time (ms).", gt=0, strict=True)


class Wan(Frozen):
    """Round-trip times of the wide area network."""

    default_rtt_ms: float = Field(
        title="Default round-trip time", description="Between two sites that are not listed (ms).", gt=0, strict=True
    )
    rtt_ms: tuple[Distance, ...] = Field(title="Round-trip times", description="One entry per pair of sites (ms).")
