"""Things that catch light, and give it."""

from __future__ import annotations

from app.media.finish import Finish
from app.media.scene import floor_shadow
from app.media.svg import circle, group, line, path, polar, rect, tag


def camera(finish: Finish) -> str:
    """Draw a camera from the front."""
    top = path("M66 196Q66 180 82 180H150L162 162H238L250 180H318Q334 180 334 196V216H66Z", fill="url(#metal)")
    body = rect(60, 204, 280, 160, 18, fill="url(#leather)") + rect(60, 204, 280, 18, 4, fill="url(#metal)")
    base = rect(60, 346, 280, 18, 9, fill="url(#metal)")
    grain = "".join(
        circle(76 + step * 37 % 250, 232 + step * 53 % 108, 0.9, fill="#ffffff", opacity=0.18) for step in range(60)
    )
    dials = (
        rect(86, 166, 38, 16, 4, fill="url(#tube)")
        + rect(268, 164, 30, 18, 4, fill="url(#tube)")
        + circle(312, 176, 8, fill="url(#edge)")
    )
    finder = rect(172, 172, 56, 26, 5, fill="#0d0f14") + rect(177, 176, 24, 18, 3, fill="#51678a", opacity=0.7)
    rings = "".join(
        circle(200, 282, r, fill=fill) for r, fill in ((80, finish.dark), (76, "url(#metal)"), (66, "#18191d"))
    )
    marks = "".join(
        line([polar(200, 282, 68, turn), polar(200, 282, 74, turn)], stroke=finish.dark, stroke_width=2)
        for turn in range(0, 360, 9)
    )
    glass = circle(200, 282, 54, fill="#2a2b31") + circle(200, 282, 46, fill="url(#lens)")
    shine = tag("ellipse", cx=184, cy=262, rx=15, ry=9, fill="#ffffff", opacity=0.5, transform="rotate(-35 184 262)")
    shine += circle(220, 302, 5, fill="#d9a8ff", opacity=0.45)
    badge = circle(96, 240, 8, fill=finish.accent) + (
        circle(306, 240, 10, fill="url(#lens)") if finish.is_studio else ""
    )
    return floor_shadow(372, 310) + dials + top + body + grain + base + finder + rings + marks + glass + shine + badge


def lamp(finish: Finish) -> str:
    """Draw a desk lamp that is lit."""
    glow = tag("ellipse", cx=146, cy=300, rx=150, ry=150, fill="url(#lamplight)")
    cone = path("M106 204L36 404H256L186 204Z", fill="#ffe9b8", opacity=0.28)
    base = tag("ellipse", cx=262, cy=404, rx=70, ry=15, fill=finish.dark) + tag(
        "ellipse", cx=262, cy=399, rx=70, ry=15, fill="url(#metal)"
    )
    if finish.variety % 4 < 2:  # noqa: PLR2004 half of the models have two arms
        arms = line([(262, 398), (314, 250)], stroke="url(#tube)", stroke_width=9, stroke_linecap="round")
        arms += line([(314, 250), (164, 132)], stroke=finish.colour, stroke_width=8, stroke_linecap="round")
        joints = circle(314, 250, 12, fill="url(#edge)") + circle(164, 132, 9, fill="url(#edge)")
        weight = group(rect(-9, -20, 18, 40, 8, fill="url(#tube)"), transform="translate(336 268) rotate(-52)")
    else:
        arms = path(
            "M262 398V196C262 96 150 92 146 142",
            fill="none",
            stroke=finish.colour,
            stroke_width=9,
            stroke_linecap="round",
        )
        arms += path("M259 398V196C259 100 152 96 146 138", fill="none", stroke=finish.light, stroke_width=2)
        joints, weight = circle(262, 300, 9, fill="url(#edge)"), ""
    head = "M108 206Q112 140 146 138Q180 140 184 206Z" if finish.is_studio else "M92 206L128 138H164L200 206Z"
    shade = path(head, fill="url(#metal)") + tag(
        "ellipse", cx=146, cy=206, rx=54 if not finish.is_studio else 38, ry=8, fill="#fff4d2"
    )
    return (
        glow
        + cone
        + floor_shadow(410, 200)
        + base
        + weight
        + arms
        + joints
        + shade
        + circle(146, 138, 6, fill=finish.accent)
    )
