"""What a customer may choose beyond size and colour: the print and its place, or an engraving."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.catalogue.seed.motifs import MOTIFS
from app.catalogue.seed.products import by_slug
from app.media.places import PLACES

PRINT, PRINT_PLACE, WORDS, ENGRAVING = "Print", "Placement", "Words", "Engraving"
"""What a line's customisation consists of, as it is stored and shown."""
LONGEST_TEXT = 24  # characters that fit a line on a chest, and a lid
OWN_MOTIF = "as-shown"
MOTIF_TITLES: Mapping[str, str] = {motif.slug: motif.title for motif in MOTIFS}
MOTIF_CHOICES: Mapping[str, str] = {OWN_MOTIF: "As shown", **MOTIF_TITLES}
PLACEMENTS: Mapping[str, str] = {"front": "Front", "back": "Back", "left-chest": "Left chest"}


class OptionError(ValueError):
    """A choice that the form does not offer; the message is for the customer, `field` is where it belongs."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def customisation(kind: str, product: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return what is to be made of a product, as it is stored with a line; empty when nothing was asked for.

    Args:
        kind: apparel or electronics.
        product: its name in addresses.
        fields: of the form.

    Raises:
        OptionError: a choice is not on offer.
    """
    text = " ".join(fields.get("text", "").split())
    if len(text) > LONGEST_TEXT:
        raise OptionError("text", f"Your words may have {LONGEST_TEXT} characters; these are {len(text)}.")
    if kind == "electronics":
        return {ENGRAVING: text} if text else {}
    motif = fields.get("motif", OWN_MOTIF)
    placement = fields.get("placement") or next(iter(_places(product)))
    if motif not in MOTIF_CHOICES:
        raise OptionError("motif", "We do not have this print.")
    if placement not in _places(product):
        raise OptionError("placement", "We do not print at this place.")
    chosen = {PRINT: MOTIF_CHOICES[motif], PRINT_PLACE: PLACEMENTS[placement]}
    return {**chosen, WORDS: text} if text else chosen


def _places(slug: str) -> Collection[str]:
    """Return where a product can be printed, the usual place first; not every garment has a chest or a back."""
    product = by_slug().get(slug)
    return PLACES[product.shape] if product and product.motif else PLACEMENTS
