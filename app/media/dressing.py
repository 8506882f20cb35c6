"""A garment in one colour with one print at one place."""

from __future__ import annotations

from app.media import prints
from app.media.cloth import Cloth
from app.media.garments import FRONTS
from app.media.garments_back import BACKS
from app.media.places import Place
from app.media.scene import scene
from app.media.svg import group, lighter, n, tag, vertical


def draw_garment(
    shape: str, colour: str, drawing: str, place: Place, *, title: str, print_variety: int, variety: int
) -> str:
    """Return a whole picture.

    Args:
        shape: which garment.
        colour: of its cloth.
        drawing: which print.
        place: where the print is.
        title: what a screen reader says when the picture stands alone.
        print_variety: tells prints of one drawing apart; it belongs to the print, wherever it is printed.
        variety: of the scene; it belongs to the product.
    """
    cloth = Cloth(colour)
    body = (BACKS if place.from_behind else FRONTS)[shape](cloth)
    definitions = vertical("cloth", (lighter(colour, 0.1), 0), (colour, 0.4), (cloth.shade, 1)) + tag(
        "filter",
        tag("feDropShadow", dx=0, dy=10, stdDeviation=9, flood_color="#1a1512", flood_opacity=0.24),
        id="lift",
        x="-20%",
        y="-20%",
        width="140%",
        height="150%",
    )
    ink = group(
        prints.draw(drawing, colour, print_variety),
        transform=f"translate({n(place.x)} {n(place.y)}) scale({place.size / 100:.3f})",
        opacity=0.95,
    )
    return scene(
        group(body, filter="url(#lift)") + ink, definitions, title=title, colour=colour, variety=variety, moody=False
    )
