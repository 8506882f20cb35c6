"""Draws the architecture from the topology, so that the picture cannot disagree with it."""

from __future__ import annotations

from dataclasses import dataclass

import jinja2

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Pair, Site, Topology

PICTURE = REPOSITORY / "docs" / "architecture.svg"
TEMPLATE = REPOSITORY / "docs" / "architecture.svg.j2"
COLUMN, MARGIN = 330, 30  # px


@dataclass(frozen=True)
class Region:
    """One column of the picture.

    Attributes:
        pair: the pair.
        primary: its primary site.
        recovery: its recovery site.
        place: distance from the left edge (px).
        rtt_ms: round trip between the two sites (ms).
        rtt_headquarters_ms: round trip from the primary site to headquarters (ms).
    """

    pair: Pair
    primary: Site
    recovery: Site
    place: int
    rtt_ms: float
    rtt_headquarters_ms: float


def draw(topology: Topology) -> str:
    """Return the picture as an SVG document."""
    regions = [_region(topology, pair, number) for number, pair in enumerate(topology.pairs.values())]
    loader = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = loader.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        topology=topology,
        regions=regions,
        headquarters=topology.site(topology.headquarters),
        width=2 * MARGIN + COLUMN * len(regions),
        column=COLUMN,
        margin=MARGIN,
    )


def _region(topology: Topology, pair: Pair, number: int) -> Region:
    return Region(
        pair=pair,
        primary=topology.site(pair.primary),
        recovery=topology.site(pair.recovery),
        place=MARGIN + COLUMN * number,
        rtt_ms=topology.rtt_ms(pair.primary, pair.recovery),
        rtt_headquarters_ms=topology.rtt_ms(pair.primary, topology.headquarters),
    )
