"""Garments seen from behind. An apron has no back to print on, a tote's is its front."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.media.cloth import LONG, TEE, WIDE, Cloth, fill, fold, nape, ribs, stitch
from app.media.garments import FRONTS
from app.media.scene import floor_shadow
from app.media.svg import circle, group, path, rect


def _tee(cloth: Cloth) -> str:
    seams = stitch("M312 244L352 225", cloth) + stitch("M88 244L48 225", cloth) + stitch("M112 407H288", cloth)
    folds = fold("M112 216Q118 190 110 150", cloth) + fold("M288 216Q282 190 290 150", cloth)
    return fill(TEE) + folds + seams + nape(cloth)


def _kids(cloth: Cloth) -> str:
    return group(_tee(cloth), transform="translate(34 62) scale(.83)")


def _longsleeve(cloth: Cloth) -> str:
    folds = fold("M112 244Q116 200 108 158", cloth) + fold("M288 244Q284 200 292 158", cloth)
    cuffs = stitch("M57 368L99 375", cloth) + stitch("M343 368L301 375", cloth) + stitch("M113 407H287", cloth)
    return fill(LONG) + folds + cuffs + nape(cloth)


def _sweatshirt(cloth: Cloth) -> str:
    folds = fold("M108 250Q112 205 104 162", cloth) + fold("M292 250Q288 205 296 162", cloth)
    cuff = ribs(-21, -11, 42, 24, cloth)
    cuffs = group(cuff, transform="translate(68 373) rotate(9)") + group(
        cuff, transform="translate(332 373) rotate(-9)"
    )
    return fill(WIDE) + folds + ribs(107, 396, 186, 22, cloth) + cuffs + nape(cloth, 108)


def _hoodie(cloth: Cloth) -> str:
    hood = path(
        "M136 116C140 92 168 82 200 82C232 82 260 92 264 116C266 152 240 186 200 190C160 186 134 152 136 116Z",
        fill=cloth.shade,
    )
    seam = stitch("M200 84V188", cloth) + fold("M150 122Q168 160 200 168Q232 160 250 122", cloth)
    return _sweatshirt(cloth) + hood + seam


def _polo(cloth: Cloth) -> str:
    collar = path("M138 116L150 96Q200 84 250 96L262 116Q200 132 138 116Z", fill=cloth.shade)
    return _tee(cloth) + collar + stitch("M146 114Q200 126 254 114", cloth)


def _tank(cloth: Cloth) -> str:
    body = (
        "M142 96Q140 92 146 92H160Q165 92 166 98C172 122 228 122 234 98Q235 92 240 92H254Q260 92 258 96"
        "C250 150 258 178 284 202L290 408Q290 416 282 416H118Q110 416 110 408L116 202C142 178 150 150 142 96Z"
    )
    trim = path(
        "M164 95C170 126 230 126 236 95M144 96C152 150 140 180 115 204M256 96C248 150 260 180 285 204",
        fill="none",
        stroke=cloth.shade,
        stroke_width=6,
    )
    return fill(body) + trim + fold("M136 300Q144 350 138 398", cloth) + fold("M266 280Q256 340 264 398", cloth)


def _cap(cloth: Cloth) -> str:
    crown = fill(
        "M92 318C86 204 136 132 200 132C264 132 314 204 308 318C276 326 252 330 242 332H158C148 330 124 326 92 318Z"
    )
    panels = stitch("M200 134V258", cloth) + stitch("M200 134C244 176 268 240 274 322", cloth)
    panels += stitch("M200 134C156 176 132 240 126 322", cloth)
    opening = path("M152 332C150 282 172 262 200 262C228 262 250 282 248 332Z", fill=cloth.deep)
    strap = rect(146, 314, 108, 17, 4, fill=cloth.shade) + rect(190, 312, 20, 21, 3, fill="#b08d4c")
    return floor_shadow(352, 260) + crown + panels + opening + strap + circle(200, 131, 7, fill=cloth.shade)


BACKS: Mapping[str, Callable[[Cloth], str]] = {
    "tee": _tee,
    "kids": _kids,
    "longsleeve": _longsleeve,
    "sweatshirt": _sweatshirt,
    "hoodie": _hoodie,
    "polo": _polo,
    "tank": _tank,
    "tote": FRONTS["tote"],
    "cap": _cap,
}
