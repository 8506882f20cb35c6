"""Pictures of what a customer chose, drawn when they are asked for.

The catalogue's own pictures come from the CDN. Any other combination of motif and place has an address on the shop's
own origin: all its parts are names from short lists, and nothing in it is personal. Words are laid over the picture by
the page, so they are in no address, no log and no shared cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.catalogue.options import (
    ENGRAVING,
    MOTIF_CHOICES,
    OWN_MOTIF,
    PLACEMENTS,
    PRINT,
    PRINT_PLACE,
    WORDS,
)
from app.catalogue.repository import picture_of
from app.media.designs import Design, design_from, design_of, draw
from app.media.places import PLACES
from app.media.wording import Wording, wording

_TOLD = (PRINT, PRINT_PLACE, WORDS, ENGRAVING)
A_DAY = "public, max-age=86400"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a page shows it: an image, and perhaps words over it."""

    address: str
    title: str
    wording: Wording | None


class Pictures:
    """What templates ask for pictures.

    Args:
        asset: returns the public address of a rendered file.
    """

    def __init__(self, asset: Callable[[str], str]) -> None:
        self._asset = asset

    def of(self, design: Design) -> Picture:
        """Return the picture of a design."""
        return Picture(self._address(design), design.title, wording(design))

    def of_line(self, line: Any) -> Picture:
        """Return the picture of a line of a cart or an order: what is bought."""
        design = design_of(line.slug, line.colour, line.customisation)
        return self.of(design) if design else Picture(self._asset("static/mark.svg"), line.product_name, None)

    def made(self, line: Any) -> dict[str, str]:
        """Return what is made of a line, in the order in which it is chosen; "as shown" is said by its name."""
        told = {name: line.customisation[name] for name in _TOLD if name in line.customisation}
        design = design_of(line.slug, line.colour, line.customisation)
        if design and told.get(PRINT) == MOTIF_CHOICES[OWN_MOTIF]:
            told[PRINT] = design.motif_title
        return told

    def designed(self, slug: str, values: Mapping[str, str]) -> Design | None:
        """Return what a product's form says now."""
        return design_from(slug, values)

    def places(self, design: Design) -> dict[str, str]:
        """Return where this product can carry a print, the usual place first."""
        return {name: PLACEMENTS[name] for name in PLACES[design.product.shape]}

    def _address(self, design: Design) -> str:
        product, colour = design.product.slug, design.colour.slug
        if design.is_usual:
            return self._asset(picture_of(product, colour))
        return f"/pictures/{product}/{colour}.{design.motif}.{design.place}.svg"


@get("/pictures/{product:str}/{name:str}", sync_to_thread=False)
def picture(product: str, name: str) -> Response[str]:
    """Draw one design."""
    parts = name.split(".")
    if len(parts) != 4 or parts[3] != "svg":  # noqa: PLR2004 colour, motif, place and the suffix
        raise NotFoundException(detail="no such picture")
    colour, motif, place, _ = parts
    design = design_from(product, {"colour": colour, "motif": motif, "placement": place})
    if design is None or (design.colour.slug, design.motif, design.place) != (colour, motif, place):
        raise NotFoundException(detail="no such picture")
    return Response(
        draw(design),
        media_type="image/svg+xml",
        headers={
            "cache-control": A_DAY,
            "vary": "accept-encoding",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


ROUTES: list[Any] = [picture]
