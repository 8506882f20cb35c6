"""Cloth, and the words that garments are drawn with: pieces, seams, creases, ribs, collars."""

from __future__ import annotations

from dataclasses import dataclass

from app.media.svg import darker, lighter, luminance, n, path, rect


@dataclass(frozen=True, slots=True)
class Cloth:
    """A garment's colour in light and shade."""

    base: str

    @property
    def shade(self) -> str:
        """Where the light does not reach."""
        return darker(self.base, 0.16)

    @property
    def deep(self) -> str:
        """Folds and the inside."""
        return darker(self.base, 0.34)

    @property
    def seam(self) -> str:
        """Stitches; on dark cloth they are lighter than it."""
        return lighter(self.base, 0.16) if luminance(self.base) < 0.12 else darker(self.base, 0.2)  # noqa: PLR2004


TEE = (
    "M152 104C168 126 232 126 248 104L292 120Q314 128 324 154L354 230L308 252L290 216L292 "
    "410Q292 417 285 417H115Q108 417 108 410"
    "L110 216L92 252L46 230L76 154Q86 128 108 120Z"
)
LONG = (
    "M152 104C168 126 232 126 248 104L294 120Q314 128 321 154L346 372Q347 382 338 384L313 "
    "389Q304 390 302 381L288 244L291 410"
    "Q291 417 284 417H116Q109 417 109 410L112 244L98 381Q96 390 87 389L62 384Q53 382 54 372L79 154Q86 128 106 120Z"
)
WIDE = (
    "M150 108C168 126 232 126 250 108L300 124Q320 131 328 156L356 366Q357 377 347 379L318 "
    "384Q308 385 306 375L292 250L295 402"
    "Q295 414 283 414H117Q105 414 105 402L108 250L94 375Q92 385 82 384L53 379Q43 377 44 366L72 156Q80 131 100 124Z"
)


def fill(d: str) -> str:
    """Return a piece of cloth."""
    return path(d, fill="url(#cloth)")


def stitch(d: str, cloth: Cloth) -> str:
    """Return a row of stitches."""
    return path(d, fill="none", stroke=cloth.seam, stroke_width=1.2, stroke_dasharray="3 2.4")


def fold(d: str, cloth: Cloth) -> str:
    """Return a crease."""
    return path(d, fill="none", stroke=cloth.deep, stroke_width=2, stroke_linecap="round", opacity=0.35)


def ribs(x: float, y: float, width: float, height: float, cloth: Cloth) -> str:
    """Return a band of ribbed cloth."""
    lines = "".join(f"M{n(x + 3 + step * 5)} {n(y + 1)}v{n(height - 2)}" for step in range(int((width - 4) // 5) + 1))
    return rect(x, y, width, height, 3, fill=cloth.shade) + path(
        lines, stroke=cloth.deep, stroke_width=0.8, opacity=0.45
    )


def neck(cloth: Cloth, top: float = 104) -> str:
    """Return a collar seen from the front, with the inside of the back behind it."""
    inside = path(
        f"M152 {top}C168 {top + 12} 232 {top + 12} 248 {top}C240 {top - 6} 160 {top - 6} 152 {top}Z", fill=cloth.deep
    )
    rib = path(
        f"M149 {top + 1}C166 {top + 31} 234 {top + 31} 251 {top + 1}",
        fill="none",
        stroke=cloth.shade,
        stroke_width=9,
        stroke_linecap="round",
    )
    return inside + rib


def nape(cloth: Cloth, top: float = 104) -> str:
    """Return a collar seen from behind, closed over what `neck` leaves open."""
    closed = fill(f"M152 {top}C168 {top + 22} 232 {top + 22} 248 {top}C236 {top - 5} 164 {top - 5} 152 {top}Z")
    rib = path(
        f"M149 {top + 1}C164 {top + 7} 236 {top + 7} 251 {top + 1}",
        fill="none",
        stroke=cloth.shade,
        stroke_width=8,
        stroke_linecap="round",
    )
    return closed + rib + stitch(f"M120 {top + 26}C160 {top + 34} 240 {top + 34} 280 {top + 26}", cloth)
