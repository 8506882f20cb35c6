"""What a customer chose to have made: which product, in which colour, with which print, where, with which words.

The picture of a design is drawn from its parameters, all of which come from short lists. Words are a customer's own and
may be personal: they are no part of the picture or of its address, pages lay them over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from app.catalogue.options import ENGRAVING, PLACEMENTS, PRINT, PRINT_PLACE, WORDS
from app.catalogue.seed.model import Colour, SeededProduct
from app.catalogue.seed.motifs import MOTIFS, Motif
from app.catalogue.seed.palette import COLOURS
from app.catalogue.seed.products import by_slug
from app.media.devices import Device, draw_device
from app.media.dressing import draw_garment
from app.media.places import PLACES, Place

KEPT_PICTURES = 512
"""Pictures that a process keeps, about 10 kB each."""

_NUMBERS: Mapping[str, int] = {motif.slug: number for number, motif in enumerate(MOTIFS)}
_BY_SLUG: Mapping[str, Motif] = {motif.slug: motif for motif in MOTIFS}
_BY_TITLE: Mapping[str, str] = {motif.title: motif.slug for motif in MOTIFS}
_PLACE_BY_TITLE: Mapping[str, str] = {title: name for name, title in PLACEMENTS.items()}


@dataclass(frozen=True, slots=True)
class Design:
    """A product as a customer wants it; `motif` and `place` are empty for devices."""

    product: SeededProduct
    colour: Colour
    motif: str = ""
    place: str = ""
    words: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether the picture is the one that the catalogue shows."""
        return (self.motif, self.place) == usual(self.product)

    @property
    def spot(self) -> Place | None:
        """Where the print is, None for devices."""
        return PLACES[self.product.shape][self.place] if self.motif else None

    @property
    def motif_title(self) -> str:
        """The print's name."""
        return _BY_SLUG[self.motif].title if self.motif else ""

    @property
    def print_variety(self) -> int:
        """The print's number: it looks the same on whatever it is printed."""
        return _NUMBERS[self.motif]

    @property
    def title(self) -> str:
        """What the picture shows, in words; the customer's own are left out."""
        shown = f"{self.product.name} in {self.colour.title}"
        if self.is_usual:
            return shown
        return f"{shown}, printed with {self.motif_title}, {PLACEMENTS[self.place].lower()}"

    def in_colour(self, colour: str) -> Design:
        """Return the same design in another colour."""
        return replace(self, colour=COLOURS[colour])


def usual(product: SeededProduct) -> tuple[str, str]:
    """Return motif and place as the catalogue shows a product."""
    return (product.motif, next(iter(PLACES[product.shape]))) if product.motif else ("", "")


def design_from(slug: str, fields: Mapping[str, str]) -> Design | None:
    """Return what a product's form says, None for an unknown product.

    Choices that are not on offer are the usual ones.
    """
    product = by_slug().get(slug)
    if product is None:
        return None
    colours = {colour.slug: colour for colour in product.colours}
    motif, place = usual(product)
    if product.motif:
        motif = fields.get("motif", "") if fields.get("motif", "") in _BY_SLUG else motif
        place = fields.get("placement", "") if fields.get("placement", "") in PLACES[product.shape] else place
    colour = colours.get(fields.get("colour", ""), product.colours[0])
    return Design(product, colour, motif, place, " ".join(fields.get("text", "").split()))


def design_of(slug: str, colour: str, customisation: Mapping[str, str]) -> Design | None:
    """Return what a line of a cart or an order says, None when the catalogue has no such product any more."""
    if colour not in COLOURS:
        return None
    found = design_from(
        slug,
        {
            "motif": _BY_TITLE.get(customisation.get(PRINT, ""), ""),
            "placement": _PLACE_BY_TITLE.get(customisation.get(PRINT_PLACE, ""), ""),
            "text": customisation.get(WORDS, customisation.get(ENGRAVING, "")),
        },
    )
    return None if found is None else found.in_colour(colour)


def draw(design: Design) -> str:
    """Return the picture of a design, without its words."""
    return _drawn(design.product.slug, design.colour.slug, design.motif, design.place)


@lru_cache(maxsize=KEPT_PICTURES)
def _drawn(slug: str, colour: str, motif: str, place: str) -> str:
    design = Design(by_slug()[slug], COLOURS[colour], motif, place)
    product, ground, spot = design.product, design.colour.hex, design.spot
    if spot is None:
        return draw_device(Device(product.shape, ground, product.variety), title=design.title)
    return draw_garment(
        product.shape,
        ground,
        _BY_SLUG[motif].drawing,
        spot,
        title=design.title,
        print_variety=design.print_variety,
        variety=product.variety,
    )
