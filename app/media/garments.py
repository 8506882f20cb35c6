"""Garments seen from the front, drawn from their colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.media.cloth import LONG, TEE, WIDE, Cloth, fill, fold, neck, ribs, stitch
from app.media.scene import floor_shadow
from app.media.svg import circle, darker, group, lighter, path, rect


def _tee(cloth: Cloth) -> str:
    sleeves = stitch("M312 244L352 225", cloth) + stitch("M88 244L48 225", cloth) + stitch("M112 407H288", cloth)
    folds = fold("M110 216Q116 190 108 150", cloth) + fold("M290 216Q284 190 292 150", cloth)
    folds += fold("M128 330Q136 370 130 400", cloth) + fold("M272 300Q262 350 270 396", cloth)
    return fill(TEE) + folds + sleeves + neck(cloth)


def _kids(cloth: Cloth) -> str:
    return group(_tee(cloth), transform="translate(34 62) scale(.83)")


def _longsleeve(cloth: Cloth) -> str:
    folds = fold("M112 244Q116 200 108 158", cloth) + fold("M288 244Q284 200 292 158", cloth)
    folds += fold("M74 262Q84 270 96 266", cloth) + fold("M326 262Q316 270 304 266", cloth)
    cuffs = stitch("M57 368L99 375", cloth) + stitch("M343 368L301 375", cloth) + stitch("M113 407H287", cloth)
    return fill(LONG) + folds + cuffs + neck(cloth)


def _sweatshirt(cloth: Cloth) -> str:
    folds = fold("M108 250Q112 205 104 162", cloth) + fold("M292 250Q288 205 296 162", cloth)
    folds += fold("M64 270Q76 282 92 276", cloth) + fold("M336 270Q324 282 308 276", cloth)
    cuff = ribs(-21, -11, 42, 24, cloth)
    cuffs = group(cuff, transform="translate(68 373) rotate(9)") + group(
        cuff, transform="translate(332 373) rotate(-9)"
    )
    return fill(WIDE) + folds + ribs(107, 396, 186, 22, cloth) + cuffs + neck(cloth, 108)


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
    body = _sweatshirt(cloth).replace(neck(cloth, 108), "")
    return hood + inside + lining + body + pocket + stitch("M151 384L161 322H239L249 384", cloth) + rim + cords + tips


def _polo(cloth: Cloth) -> str:
    left = path("M148 100L200 140L178 164L138 116Z", fill=cloth.shade)
    right = path("M252 100L200 140L222 164L262 116Z", fill=cloth.shade)
    inside = path("M148 102C170 92 230 92 252 102L200 142Z", fill=cloth.deep)
    placket = rect(191, 140, 18, 74, 3, fill=cloth.shade) + "".join(
        circle(200, y, 3, fill=lighter(cloth.base, 0.6)) for y in (166, 190)
    )
    body = _tee(cloth).replace(neck(cloth), "")
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
        inside + fill(body) + trim + fold("M136 300Q144 350 138 398", cloth) + fold("M266 280Q256 340 264 398", cloth)
    )


def _tote(cloth: Cloth) -> str:
    back = path("M150 200C150 70 250 70 250 200", fill="none", stroke=cloth.deep, stroke_width=13)
    bag = fill("M92 190H308L318 424Q318 432 310 432H90Q82 432 82 424Z")
    hem = path("M92 190H308L309 210H91Z", fill=cloth.shade)
    front = path("M146 214C144 84 256 84 254 214", fill="none", stroke="url(#cloth)", stroke_width=13)
    patches = "".join(
        rect(x, 204, 17, 22, 2, fill=cloth.shade) + stitch(f"M{x + 2} 206l13 18m0 -18l-13 18", cloth)
        for x in (138, 245)
    )
    folds = fold("M104 260Q116 340 102 420", cloth) + fold("M298 250Q284 330 300 420", cloth)
    return back + bag + hem + folds + front + patches


def _cap(cloth: Cloth) -> str:
    crown = fill("M92 300C84 196 140 132 204 132C272 132 318 194 312 296C250 272 150 274 92 300Z")
    panels = stitch("M204 134C190 180 186 230 190 276", cloth) + stitch("M204 134C254 170 276 220 278 284", cloth)
    panels += stitch("M204 134C150 168 124 220 118 288", cloth)
    brim = path(
        "M90 300C150 272 250 270 312 296C352 312 376 338 372 350C330 330 150 326 84 346C72 336 76 314 90 300Z",
        fill=cloth.shade,
    )
    under = path("M84 346C150 326 330 330 372 350C340 346 150 340 84 346Z", fill=cloth.deep)
    sweep = "".join(
        stitch(f"M{96 + s * 3} {312 + s * 8}C160 {290 + s * 8} 270 {290 + s * 8} {342 + s * 6} {318 + s * 8}", cloth)
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
    body = fill(
        "M152 118H248Q254 118 255 124C258 176 272 214 300 226L312 434Q312 442 304 442H96Q88 442 88 434L100 226"
        "C128 214 142 176 145 124Q146 118 152 118Z"
    )
    pocket = rect(128, 316, 144, 78, 5, fill=cloth.shade) + stitch("M200 318V392M131 319H269", cloth)
    return straps + body + stitch("M152 128H248", cloth) + pocket + fold("M112 300Q122 380 108 432", cloth)


FRONTS: Mapping[str, Callable[[Cloth], str]] = {
    "tee": _tee,
    "kids": _kids,
    "longsleeve": _longsleeve,
    "sweatshirt": _sweatshirt,
    "hoodie": _hoodie,
    "polo": _polo,
    "tank": _tank,
    "tote": _tote,
    "cap": _cap,
    "apron": _apron,
}
