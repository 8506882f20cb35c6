"""Where a garment can carry a print, and how large; the first place of a garment is its usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A square on a picture of 400 by 500 that a print fills; words of the customer's own stand beneath it.

    Attributes:
        x: left edge.
        y: upper edge.
        size: of each side.
        from_behind: whether the garment has to be turned round to see it.
    """

    x: float
    y: float
    size: float
    from_behind: bool = False

    @property
    def middle(self) -> float:
        """Where the words are centred."""
        return self.x + self.size / 2

    @property
    def words_width(self) -> float:
        """The longest line that the cloth holds; small prints may have words that are wider than they are."""
        return max(self.size * 1.1, 76)

    @property
    def words_y(self) -> float:
        """The line that the words stand on."""
        return self.y + self.size + 14


def _behind(x: float, y: float, size: float) -> Place:
    return Place(x, y, size, from_behind=True)


PLACES: Mapping[str, Mapping[str, Place]] = {
    "tee": {"front": Place(134, 166, 132), "back": _behind(130, 150, 140), "left-chest": Place(218, 172, 44)},
    "kids": {"front": Place(147, 204, 106), "back": _behind(143, 190, 114), "left-chest": Place(216, 206, 36)},
    "longsleeve": {"front": Place(136, 166, 128), "back": _behind(131, 150, 138), "left-chest": Place(218, 172, 44)},
    "sweatshirt": {"front": Place(137, 172, 126), "back": _behind(132, 156, 136), "left-chest": Place(220, 176, 44)},
    "hoodie": {"front": Place(148, 198, 104), "back": _behind(141, 212, 118), "left-chest": Place(222, 186, 42)},
    "polo": {"left-chest": Place(220, 178, 46), "front": Place(146, 226, 108), "back": _behind(132, 152, 136)},
    "tank": {"front": Place(142, 196, 116), "back": _behind(142, 176, 116), "left-chest": Place(212, 200, 38)},
    "tote": {"front": Place(128, 250, 144), "back": _behind(128, 250, 144)},
    "cap": {"front": Place(166, 176, 76), "back": _behind(176, 178, 48)},
    "apron": {"front": Place(157, 158, 86), "left-chest": Place(208, 152, 40)},
}
"""By garment and place, both as forms name them. A polo's usual print is small, as its name says."""
