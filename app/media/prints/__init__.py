"""The archive of prints, drawn: each one fills a box of 100 by 100 with up to three inks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.media.prints import geometry, nature, things
from app.media.svg import luminance

Inks = tuple[str, str, str]

DRAWINGS: Mapping[str, Callable[[Inks, int], str]] = {
    "rings": geometry.rings,
    "bauhaus": geometry.bauhaus,
    "orbits": geometry.orbits,
    "halftone": geometry.halftone,
    "arcs": geometry.arcs,
    "checks": geometry.checks,
    "cubes": geometry.cubes,
    "contour": geometry.contour,
    "sunrise": nature.sunrise,
    "mountains": nature.mountains,
    "waves": nature.waves,
    "branch": nature.branch,
    "flower": nature.flower,
    "shoal": nature.shoal,
    "birds": nature.birds,
    "constellation": things.constellation,
    "moon": things.moon,
    "city": things.city,
    "cassette": things.cassette,
}
_ON_DARK: tuple[Inks, ...] = (
    ("#f6ecd9", "#e9b44c", "#d9694a"),
    ("#f3efe6", "#8fc1c7", "#e58a6b"),
    ("#f7e9d7", "#e7a6a0", "#b9cfa9"),
)
_ON_LIGHT: tuple[Inks, ...] = (
    ("#22304a", "#d2603a", "#e3a83b"),
    ("#23423a", "#c4573b", "#7fa08a"),
    ("#3a2a4a", "#cf5b6b", "#4c86a8"),
)
_DARK_BELOW = 0.3


def inks_on(ground: str, variety: int) -> Inks:
    """Return inks that show on the ground's colour."""
    sets = _ON_DARK if luminance(ground) < _DARK_BELOW else _ON_LIGHT
    return sets[variety % len(sets)]


def draw(drawing: str, ground: str, variety: int) -> str:
    """Return a print in inks that show on the ground's colour."""
    return DRAWINGS[drawing](inks_on(ground, variety), variety)
