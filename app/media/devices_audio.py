"""Things that sound."""

from __future__ import annotations

from app.media.finish import Finish
from app.media.scene import floor_shadow
from app.media.svg import circle, darker, group, lighter, n, path, polar, rect, tag


def headphones(finish: Finish) -> str:
    """Draw headphones from the front, cups turned a little."""
    band = path(
        "M98 282C84 116 316 116 302 282", fill="none", stroke="url(#metal)", stroke_width=15, stroke_linecap="round"
    )
    pad = path(
        "M124 172C158 118 242 118 276 172", fill="none", stroke="url(#leather)", stroke_width=19, stroke_linecap="round"
    )
    stitches = path(
        "M126 170C160 117 240 117 274 170",
        fill="none",
        stroke="#ffffff",
        stroke_opacity=0.25,
        stroke_width=1.4,
        stroke_dasharray="4 4",
    )
    arms = "".join(rect(x, 240, 13, 56, 6, fill="url(#tube)") for x in (91, 296))
    cups = ""
    for side, x in ((1, 98), (-1, 302)):
        grille = "".join(
            circle(*polar(0, 0, ring * 7, turn), 1.5, fill=finish.dark)
            for ring in range(1, 5)
            for turn in range(0, 360, 60 // ring)
        )
        face = grille if finish.is_studio else circle(0, 0, 27, fill="none", stroke=finish.light, stroke_width=1.2)
        cup = (
            tag("ellipse", cx=15, cy=0, rx=33, ry=55, fill="url(#leather)")
            + tag("ellipse", cx=0, cy=0, rx=37, ry=57, fill="url(#metal)")
            + tag("ellipse", cx=-2, cy=0, rx=29, ry=46, fill=finish.colour, stroke=finish.dark, stroke_width=1)
            + group(face, transform="scale(.8 1.2)")
            + circle(-2, 38, 3, fill=finish.accent)
        )
        cups += group(cup, transform=f"translate({x} 320) scale({side} 1)")
    return floor_shadow(400, 280) + band + pad + stitches + arms + cups


def earbuds(finish: Finish) -> str:
    """Draw two earbuds above their case."""
    case = (
        rect(112, 290, 176, 104, 46, fill="url(#metal)")
        + path("M112 330H288", stroke=finish.dark, stroke_width=2)
        + circle(200, 362, 3.2, fill=finish.accent)
        + rect(176, 326, 48, 8, 4, fill=finish.dark)
        + path(
            "M128 312Q134 300 150 298",
            fill="none",
            stroke="#ffffff",
            stroke_opacity=0.55,
            stroke_width=4,
            stroke_linecap="round",
        )
    )
    buds = ""
    for x, turn in ((150, -16), (250, 16)):
        stem = rect(-9, 6, 18, 78 if finish.is_studio else 62, 9, fill="url(#tube)")
        head = tag("ellipse", cx=0, cy=0, rx=34, ry=30, fill="url(#metal)") + tag(
            "ellipse", cx=0, cy=-3, rx=17, ry=13, fill="url(#glass)"
        )
        ring = tag("ellipse", cx=0, cy=-3, rx=17, ry=13, fill="none", stroke=finish.accent, stroke_width=1.6)
        buds += group(stem + head + ring, transform=f"translate({x} 178) rotate({turn})")
    return floor_shadow(404, 230) + case + buds


def speaker(finish: Finish) -> str:
    """Draw a speaker with a woven front, round or square."""
    cloth, width = finish.cloth, 168 if finish.is_studio else 150
    left = 200 - width / 2
    weave = "".join(f"M{n(left)} {y}h{n(width)}" for y in range(130, 372, 5))
    threads = path(weave, stroke=darker(cloth, 0.25), stroke_width=1, opacity=0.5)
    clip = tag("clipPath", rect(left, 118, width, 262, 22 if finish.variety % 4 < 2 else 75), id="front")  # noqa: PLR2004
    body = rect(left - 8, 110, width + 16, 278, 28 if finish.variety % 4 < 2 else 82, fill="url(#metal)")  # noqa: PLR2004
    cones = "".join(
        circle(200, y, r, fill=darker(cloth, 0.16))
        + circle(200, y, r * 0.62, fill=darker(cloth, 0.3))
        + circle(200, y, r * 0.24, fill=lighter(cloth, 0.12))
        for y, r in ((302, width * 0.3), (196, width * 0.17))
    )
    front = rect(left, 118, width, 262, fill=cloth) + cones + threads
    feet = rect(left + 16, 388, 16, 12, 3, fill="url(#wood)") + rect(
        left + width - 32, 388, 16, 12, 3, fill="url(#wood)"
    )
    mark = rect(188, 352, 24, 4, 2, fill=finish.accent)
    return floor_shadow(402, width + 60) + clip + feet + body + group(front, clip_path="url(#front)") + mark


def turntable(finish: Finish) -> str:
    """Draw a turntable from above, a record on it."""
    plinth = rect(52, 142, 296, 236, 14, fill="url(#wood)" if finish.variety % 3 == 1 else "url(#metal)")
    rim = rect(52, 142, 296, 236, 14, fill="none", stroke="#ffffff", stroke_opacity=0.25, stroke_width=1.4)
    grooves = "".join(circle(172, 260, r, fill="none", stroke="#3a3a40", stroke_width=0.7) for r in range(40, 96, 5))
    shine = path(
        "M172 260L118 178A98 98 0 0 1 150 164ZM172 260L226 342A98 98 0 0 1 194 356Z", fill="#ffffff", opacity=0.09
    )
    record = circle(172, 260, 104, fill=finish.dark) + circle(172, 260, 98, fill="#16161a") + grooves + shine
    label = circle(172, 260, 30, fill=finish.accent) + circle(
        172, 260, 20, fill="none", stroke="#ffffff", stroke_opacity=0.5
    )
    arm = path("M310 182L304 262L246 306", fill="none", stroke="url(#edge)", stroke_width=6, stroke_linejoin="round")
    head = group(rect(-13, -6, 26, 12, 2, fill="#1c1c20"), transform="translate(243 308) rotate(-37)")
    pivot = circle(310, 182, 20, fill="url(#edge)") + circle(310, 182, 11, fill=finish.dark)
    knobs = circle(316, 346, 11, fill="url(#edge)") + circle(284, 352, 5, fill=finish.accent)
    return (
        floor_shadow(394, 330)
        + plinth
        + rim
        + record
        + label
        + circle(172, 260, 3, fill="#e8e6e2")
        + pivot
        + arm
        + head
        + knobs
    )
