"""Garments, drawn from their colour, with a print on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.media import prints
from app.media.scene import floor_shadow, scene
from app.media.svg import circle, darker, group, lighter, luminance, n, path, rect, tag, vertical


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


@dataclass(frozen=True, slots=True)
class Print:
    """Where a garment carries its print."""

    x: float
    y: float
    size: float


_TEE = (
    "M152 104C168 126 232 126 248 104L292 120Q314 128 324 154L354 230L308 252L290 216L292 "
    "410Q292 417 285 417H115Q108 417 108 410"
    "L110 216L92 252L46 230L76 154Q86 128 108 120Z"
)
_LONG = (
    "M152 104C168 126 232 126 248 104L294 120Q314 128 321 154L346 372Q347 382 338 384L313 "
    "389Q304 390 302 381L288 244L291 410"
    "Q291 417 284 417H116Q109 417 109 410L112 244L98 381Q96 390 87 389L62 384Q53 382 54 372L79 154Q86 128 106 120Z"
)
_WIDE = (
    "M150 108C168 126 232 126 250 108L300 124Q320 131 328 156L356 366Q357 377 347 379L318 "
    "384Q308 385 306 375L292 250L295 402"
    "Q295 414 283 414H117Q105 414 105 402L108 250L94 375Q92 385 82 384L53 379Q43 377 44 366L72 156Q80 131 100 124Z"
)


def _fill(d: str) -> str:
    return path(d, fill="url(#cloth)")


def _stitch(d: str, cloth: Cloth) -> str:
    return path(d, fill="none", stroke=cloth.seam, stroke_width=1.2, stroke_dasharray="3 2.4")


def _fold(d: str, cloth: Cloth) -> str:
    return path(d, fill="none", stroke=cloth.deep, stroke_width=2, stroke_linecap="round", opacity=0.35)


def _ribs(x: float, y: float, width: float, height: float, cloth: Cloth) -> str:
    lines = "".join(f"M{n(x + 3 + step * 5)} {n(y + 1)}v{n(height - 2)}" for step in range(int((width - 4) // 5) + 1))
    return rect(x, y, width, height, 3, fill=cloth.shade) + path(
        lines, stroke=cloth.deep, stroke_width=0.8, opacity=0.45
    )


def _neck(cloth: Cloth, top: float = 104) -> str:
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


def _tee(cloth: Cloth) -> str:
    sleeves = _stitch("M312 244L352 225", cloth) + _stitch("M88 244L48 225", cloth) + _stitch("M112 407H288", cloth)
    folds = _fold("M110 216Q116 190 108 150", cloth) + _fold("M290 216Q284 190 292 150", cloth)
    folds += _fold("M128 330Q136 370 130 400", cloth) + _fold("M272 300Q262 350 270 396", cloth)
    return _fill(_TEE) + folds + sleeves + _neck(cloth)


def _kids(cloth: Cloth) -> str:
    return group(_tee(cloth), transform="translate(34 62) scale(.83)")


def _longsleeve(cloth: Cloth) -> str:
    folds = _fold("M112 244Q116 200 108 158", cloth) + _fold("M288 244Q284 200 292 158", cloth)
    folds += _fold("M74 262Q84 270 96 266", cloth) + _fold("M326 262Q316 270 304 266", cloth)
    cuffs = _stitch("M57 368L99 375", cloth) + _stitch("M343 368L301 375", cloth) + _stitch("M113 407H287", cloth)
    return _fill(_LONG) + folds + cuffs + _neck(cloth)


def _sweatshirt(cloth: Cloth) -> str:
    folds = _fold("M108 250Q112 205 104 162", cloth) + _fold("M292 250Q288 205 296 162", cloth)
    folds += _fold("M64 270Q76 282 92 276", cloth) + _fold("M336 270Q324 282 308 276", cloth)
    cuff = _ribs(-21, -11, 42, 24, cloth)
    cuffs = group(cuff, transform="translate(68 373) rotate(9)") + group(
        cuff, transform="translate(332 373) rotate(-9)"
    )
    return _fill(_WIDE) + folds + _ribs(107, 396, 186, 22, cloth) + cuffs + _neck(cloth, 108)


def _hoodie(cloth: Cloth) -> str:
    hood = path("M140 124C122 70 156 34 200 34C244 34 278 70 260 124C240 140 160 140 140 124Z", fill=cloth.shade)
    inside = path("M158 120C146 82 168 56 200 56C232 56 254 82 242 120C226 142 174 142 158 120Z", fill=cloth.deep)
    lining = path(
        "M166 118C158 88 174 66 200 66C226 66 242 88 234 118C222 134 178 134 166 118Z", fill=darker(cloth.base, 0.55)
    )
    rim = path("M144 128C162 150 238 150 256 128L248 112C232 138 168 138 152 112Z", fill="url(#cloth)")
    pocket = path("M146 388L156 322Q157 316 163 316H237Q243 316 244 322L254 388Z", fill=cloth.shade, opacity=0.75)
    cords = path(
        "M180 138Q176 170 179 192M220 138Q225 166 221 186",
        fill="none",
        stroke=lighter(cloth.base, 0.5),
        stroke_width=3.2,
        stroke_linecap="round",
    )
    tips = circle(179, 194, 2.6, fill=lighter(cloth.base, 0.7)) + circle(221, 188, 2.6, fill=lighter(cloth.base, 0.7))
    body = _sweatshirt(cloth).replace(_neck(cloth, 108), "")
    return hood + inside + lining + body + pocket + _stitch("M151 384L161 322H239L249 384", cloth) + rim + cords + tips


def _polo(cloth: Cloth) -> str:
    left = path("M148 100L200 140L178 164L138 116Z", fill=cloth.shade)
    right = path("M252 100L200 140L222 164L262 116Z", fill=cloth.shade)
    inside = path("M148 102C170 92 230 92 252 102L200 142Z", fill=cloth.deep)
    placket = rect(191, 140, 18, 74, 3, fill=cloth.shade) + "".join(
        circle(200, y, 3, fill=lighter(cloth.base, 0.6)) for y in (166, 190)
    )
    body = _tee(cloth).replace(_neck(cloth), "")
    return body + inside + placket + left + right


def _tank(cloth: Cloth) -> str:
    body = (
        "M142 96Q140 92 146 92H160Q165 92 165 98C166 150 234 150 235 98Q235 92 240 92H254Q260 "
        "92 258 96C256 150 266 176 284 198"
        "L290 408Q290 416 282 416H118Q110 416 110 408L116 198C134 176 144 150 142 96Z"
    )
    inside = path("M162 98C166 112 234 112 238 98L235 104C234 150 166 150 165 104Z", fill=cloth.deep)
    trim = path(
        "M163 95C164 154 236 154 237 95M144 96C145 150 134 178 115 200M256 96C255 150 266 178 285 200",
        fill="none",
        stroke=cloth.shade,
        stroke_width=6,
    )
    return (
        inside
        + _fill(body)
        + trim
        + _fold("M136 300Q144 350 138 398", cloth)
        + _fold("M266 280Q256 340 264 398", cloth)
    )


def _tote(cloth: Cloth) -> str:
    back = path("M150 200C150 70 250 70 250 200", fill="none", stroke=cloth.deep, stroke_width=13)
    bag = _fill("M92 190H308L318 424Q318 432 310 432H90Q82 432 82 424Z")
    hem = path("M92 190H308L309 210H91Z", fill=cloth.shade)
    front = path("M146 214C144 84 256 84 254 214", fill="none", stroke="url(#cloth)", stroke_width=13)
    patches = "".join(
        rect(x, 204, 17, 22, 2, fill=cloth.shade) + _stitch(f"M{x + 2} 206l13 18m0 -18l-13 18", cloth)
        for x in (138, 245)
    )
    folds = _fold("M104 260Q116 340 102 420", cloth) + _fold("M298 250Q284 330 300 420", cloth)
    return back + bag + hem + folds + front + patches


def _cap(cloth: Cloth) -> str:
    crown = _fill("M92 300C84 196 140 132 204 132C272 132 318 194 312 296C250 272 150 274 92 300Z")
    panels = _stitch("M204 134C190 180 186 230 190 276", cloth) + _stitch("M204 134C254 170 276 220 278 284", cloth)
    panels += _stitch("M204 134C150 168 124 220 118 288", cloth)
    brim = path(
        "M90 300C150 272 250 270 312 296C352 312 376 338 372 350C330 330 150 326 84 346C72 336 76 314 90 300Z",
        fill=cloth.shade,
    )
    under = path("M84 346C150 326 330 330 372 350C340 346 150 340 84 346Z", fill=cloth.deep)
    sweep = "".join(
        _stitch(f"M{96 + s * 3} {312 + s * 8}C160 {290 + s * 8} 270 {290 + s * 8} {342 + s * 6} {318 + s * 8}", cloth)
        for s in range(3)
    )
    return floor_shadow(372, 300) + crown + panels + brim + under + sweep + circle(204, 131, 7, fill=cloth.shade)


def _apron(cloth: Cloth) -> str:
    straps = path(
        "M160 128C150 60 250 60 240 128M112 240C70 236 60 252 40 262M288 240C330 236 340 252 360 262",
        fill="none",
        stroke=cloth.deep,
        stroke_width=9,
        stroke_linecap="round",
    )
    body = _fill(
        "M152 118H248Q254 118 255 124C258 176 272 214 300 226L312 434Q312 442 304 442H96Q88 442 88 434L100 226"
        "C128 214 142 176 145 124Q146 118 152 118Z"
    )
    pocket = rect(128, 316, 144, 78, 5, fill=cloth.shade) + _stitch("M200 318V392M131 319H269", cloth)
    return straps + body + _stitch("M152 128H248", cloth) + pocket + _fold("M112 300Q122 380 108 432", cloth)


_SHAPES: Mapping[str, tuple[Callable[[Cloth], str], Print]] = {
    "tee": (_tee, Print(134, 166, 132)),
    "kids": (_kids, Print(147, 204, 106)),
    "longsleeve": (_longsleeve, Print(136, 166, 128)),
    "sweatshirt": (_sweatshirt, Print(137, 172, 126)),
    "hoodie": (_hoodie, Print(148, 198, 104)),
    "polo": (_polo, Print(226, 178, 46)),
    "tank": (_tank, Print(142, 196, 116)),
    "tote": (_tote, Print(128, 250, 144)),
    "cap": (_cap, Print(160, 184, 84)),
    "apron": (_apron, Print(157, 158, 86)),
}


def draw_garment(shape: str, colour: str, drawing: str, *, title: str, variety: int) -> str:
    """Return the picture of a garment in one colour with one print."""
    cloth = Cloth(colour)
    draw, spot = _SHAPES[shape]
    body = draw(cloth)
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
        prints.draw(drawing, colour, variety),
        transform=f"translate({n(spot.x)} {n(spot.y)}) scale({spot.size / 100:.3f})",
        opacity=0.95,
    )
    return scene(
        group(body, filter="url(#lift)") + ink, definitions, title=title, colour=colour, variety=variety, moody=False
    )
