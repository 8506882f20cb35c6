"""How a customer's own words lie on a picture: beneath the print, or on a plate under a device."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

from app.media.designs import Design
from app.media.prints import inks_on
from app.media.svg import darker, lighter, luminance

LARGEST, SMALLEST = 17.0, 2.5
_PLATE = (70.0, 436.0, 260.0, 40.0)  # x, y, width, height
_DARK_BELOW = 0.3
_CAPITAL, _SMALL = 0.82, 0.66


@dataclass(frozen=True, slots=True)
class Plate:
    """A piece of the device's metal, close enough to read what is engraved."""

    x: float
    y: float
    width: float
    height: float
    metal: str
    edge: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Words on a picture of 400 by 500: middle of their line, height of the letters, ink."""

    text: str
    x: float
    y: float
    size: float
    ink: str
    plate: Plate | None = None


def wording(design: Design) -> Wording | None:
    """Return how the words of a design are set, None if it has none."""
    if not design.words:
        return None
    spot = design.spot
    if spot is not None:
        ink = inks_on(design.colour.hex, design.print_variety)[0]
        size = _fitting(design.words, spot.words_width)
        return Wording(design.words, spot.middle, spot.words_y, size, ink)
    x, y, width, height = _PLATE
    metal = design.colour.hex
    is_dark = luminance(metal) < _DARK_BELOW
    plate = Plate(x, y, width, height, metal, lighter(metal, 0.35) if is_dark else darker(metal, 0.35))
    size = _fitting(design.words, width - 30)
    ink = lighter(metal, 0.86) if is_dark else darker(metal, 0.82)
    return Wording(design.words, x + width / 2, y + height / 2 + size * 0.36, size, ink, plate)


def _fitting(text: str, width: float) -> float:
    """Return the height of letters with which a line is no longer than `width`."""
    room = max(sum(_width(letter) for letter in text), _SMALL)  # marks alone are drawn over a letter that is not there
    return math.floor(min(LARGEST, max(SMALLEST, width / room)) * 10) / 10


def _width(letter: str) -> float:
    """Return the width of a letter in a bold face, as a share of its height; measured at the widest of each kind."""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or letter in "MWmw@%":
        return 1.05
    return _CAPITAL if letter.isupper() else _SMALL
