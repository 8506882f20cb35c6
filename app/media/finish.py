"""What a device is made of: metal in its finish, dark glass, leather, an accent."""

from __future__ import annotations

from dataclasses import dataclass

from app.media.svg import darker, diagonal, horizontal, lighter, luminance, mix, radial, vertical

_ACCENTS = ("#d9694a", "#4f8f8b", "#e0a93f", "#8a6bb1", "#3f79b5", "#c94f6d")
_LEATHERS = ("#7a4a2f", "#2b2a2c", "#8f6b4a", "#4b3a39")
_WALLPAPERS = (
    ("#f4a261", "#e76f51", "#5b2a57"),
    ("#8ecae6", "#3d6f9f", "#1b2a49"),
    ("#cdb4db", "#7a6bb1", "#2d2350"),
    ("#b7d3a8", "#4f8f6b", "#173b33"),
    ("#ffd8a8", "#d9694a", "#612d2d"),
    ("#e9e3d5", "#c2ab8a", "#5d5148"),
)


@dataclass(frozen=True, slots=True)
class Finish:
    """A finish's colour, and a number that tells models apart."""

    colour: str
    variety: int

    @property
    def light(self) -> str:
        """The metal in light."""
        return lighter(self.colour, 0.28)

    @property
    def dark(self) -> str:
        """The metal in shade."""
        return darker(self.colour, 0.38)

    @property
    def accent(self) -> str:
        """A touch of colour."""
        return _ACCENTS[self.variety % len(_ACCENTS)]

    @property
    def leather(self) -> str:
        """Leather, or wool, in a tone that goes with the metal."""
        return _LEATHERS[self.variety % len(_LEATHERS)]

    @property
    def cloth(self) -> str:
        """A woollen front."""
        return mix(self.colour, "#d9d3c7" if luminance(self.colour) < 0.3 else "#55524e", 0.55)  # noqa: PLR2004

    @property
    def is_studio(self) -> bool:
        """Whether this is a maker's larger model."""
        return self.variety % 2 == 1

    def definitions(self) -> str:
        """Return the gradients that drawings refer to."""
        sky = _WALLPAPERS[self.variety % len(_WALLPAPERS)]
        return (
            diagonal("metal", (self.light, 0), (self.colour, 0.45), (self.dark, 1))
            + horizontal("tube", (self.dark, 0), (self.light, 0.35), (self.colour, 0.6), (self.dark, 1))
            + vertical("edge", (lighter(self.colour, 0.55), 0), (self.dark, 1))
            + diagonal("glass", ("#3b414d", 0), ("#15181f", 0.5), ("#0a0b0f", 1))
            + diagonal("sky", (sky[0], 0), (sky[1], 0.5), (sky[2], 1))
            + diagonal(
                "leather", (lighter(self.leather, 0.16), 0), (self.leather, 0.5), (darker(self.leather, 0.35), 1)
            )
            + radial("lens", ("#6f8fb8", 0), ("#1c2740", 0.45), ("#05070c", 1), x=0.38, y=0.34, r=0.75)
            + radial("lamplight", ("#ffe6aecc", 0), ("#ffe6ae00", 1))
            + vertical("wood", ("#9a6a43", 0), ("#6b452a", 1))
        )
