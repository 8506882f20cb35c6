"""The room that every product is photographed in: a backdrop, soft light, a shadow on the floor."""

from __future__ import annotations

from html import escape

from app.media.svg import circle, darker, lighter, luminance, mix, radial, rect, tag, vertical

WIDTH, HEIGHT = 400, 500
_BACKDROPS = ("#efe9df", "#e6ebe8", "#ece4e4", "#e4e8ee", "#efe6d6", "#e5e5dd")
_DARK_BACKDROPS = ("#2a2c33", "#26312f", "#332a2d", "#27303b")
_BRIGHT = 0.72


def scene(product: str, definitions: str, *, title: str, colour: str, variety: int, moody: bool) -> str:
    """Return a whole picture.

    Args:
        product: drawn parts, in a box of 400 by 500.
        definitions: gradients and clips that the parts refer to.
        title: what a screen reader says when the picture stands alone.
        colour: the product's own; a bright product gets a deeper backdrop.
        variety: chooses the backdrop.
        moody: devices may stand in the dark.
    """
    if moody and variety % 3 == 0 and luminance(colour) > 0.2:  # noqa: PLR2004 a dark device would vanish there
        ground = _DARK_BACKDROPS[variety % len(_DARK_BACKDROPS)]
    else:
        ground = mix(_BACKDROPS[variety % len(_BACKDROPS)], colour, 0.14)
        if luminance(colour) > _BRIGHT:
            ground = darker(ground, 0.1)
    backdrop = (
        vertical("wall", (lighter(ground, 0.25), 0), (ground, 0.72), (darker(ground, 0.07), 1))
        + radial("glow", ("#ffffff66", 0), ("#ffffff00", 1), x=0.32, y=0.25, r=0.65)
        + radial("shade", ("#00000038", 0), ("#00000000", 1))
    )
    room = (
        rect(0, 0, WIDTH, HEIGHT, fill="url(#wall)")
        + circle(200, 236, 168, fill=lighter(ground, 0.3), opacity=0.5)
        + rect(0, 0, WIDTH, HEIGHT, fill="url(#glow)")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"{tag('title', escape(title))}<defs>{backdrop}{definitions}</defs>{room}{product}</svg>\n"
    )


def floor_shadow(y: float, width: float) -> str:
    """Return the shadow of something that stands at height y."""
    return tag("ellipse", cx=200, cy=y, rx=width / 2, ry=width / 13, fill="url(#shade)")
