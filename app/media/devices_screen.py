"""Things with a screen."""

from __future__ import annotations

from typing import Any

from app.media.finish import Finish
from app.media.scene import floor_shadow
from app.media.svg import circle, darker, group, line, path, polar, rect, tag

_GLARE: dict[str, Any] = {"fill": "#ffffff", "opacity": 0.1}


def watch(finish: Finish) -> str:
    """Draw a watch, round or square."""
    strap = path("M158 40H242L250 178H150ZM150 322H250L242 460H158Z", fill="url(#leather)")
    stitches = path(
        "M166 48L160 168M234 48L240 168M160 332L166 452M240 332L234 452",
        stroke="#ffffff",
        stroke_opacity=0.28,
        stroke_width=1.4,
        stroke_dasharray="5 4",
    )
    crown = rect(288, 238, 15, 26, 5, fill="url(#edge)") + (
        rect(288, 282, 9, 30, 4, fill=finish.dark) if finish.is_studio else ""
    )
    if finish.variety % 4 < 2:  # noqa: PLR2004 half of the models are round
        case = (
            circle(200, 250, 95, fill="url(#metal)")
            + circle(200, 250, 85, fill=finish.dark)
            + circle(200, 250, 80, fill="url(#glass)")
        )
        glare = path("M140 196A80 80 0 0 1 236 179L158 318A80 80 0 0 1 140 196Z", **_GLARE)
    else:
        case = rect(106, 152, 188, 196, 54, fill="url(#metal)") + rect(117, 163, 166, 174, 44, fill="url(#glass)")
        glare = path("M117 210Q117 163 164 163H214L132 322Q117 312 117 290Z", **_GLARE)
    marks = "".join(
        line(
            [polar(200, 250, 62 if hour % 3 else 58, hour * 30), polar(200, 250, 70, hour * 30)],
            stroke="#f1ede4",
            stroke_width=2 if hour % 3 else 4,
            stroke_linecap="round",
        )
        for hour in range(12)
    )
    hands = line([(200, 250), polar(200, 250, 38, 304)], stroke="#f6f2ea", stroke_width=6, stroke_linecap="round")
    hands += line([(200, 250), polar(200, 250, 56, 52)], stroke="#f6f2ea", stroke_width=4, stroke_linecap="round")
    hands += line([polar(200, 250, -14, 168), polar(200, 250, 62, 168)], stroke=finish.accent, stroke_width=1.8)
    dial = circle(200, 284, 13, fill="none", stroke="#f1ede4", stroke_opacity=0.6, stroke_width=1.2)
    return strap + stitches + crown + case + marks + dial + hands + circle(200, 250, 5, fill=finish.accent) + glare


def phone(finish: Finish) -> str:
    """Draw a phone's front before its back."""
    camera = rect(212, 94, 62, 62 if finish.is_studio else 40, 19, fill=darker(finish.colour, 0.18))
    lenses = circle(229, 113, 12, fill="url(#lens)") + circle(257, 113, 10, fill="url(#lens)")
    if finish.is_studio:
        lenses += circle(229, 139, 10, fill="url(#lens)") + circle(257, 139, 4, fill="#fff3d6")
    back = group(
        rect(158, 78, 132, 318, 26, fill="url(#metal)")
        + rect(158, 78, 132, 318, 26, fill="none", stroke="#ffffff", stroke_opacity=0.35)
        + camera
        + lenses,
        transform="rotate(9 224 240)",
    )
    face = rect(104, 104, 138, 318, 28, fill=finish.dark) + rect(110, 110, 126, 306, 23, fill="url(#sky)")
    clock = path(
        "M150 168h10v34m16-34h18v34h-18z", fill="none", stroke="#ffffff", stroke_width=4.4, stroke_linecap="round"
    )
    hills = path("M110 352Q150 312 186 340T236 318V393Q236 416 213 416H133Q110 416 110 393Z", fill="#00000033")
    front = group(
        face
        + hills
        + clock
        + circle(173, 126, 5, fill="#0a0b0f")
        + rect(148, 404, 50, 3.6, 1.8, fill="#ffffffcc")
        + path("M110 133Q110 110 133 110H190L124 404Q110 400 110 388Z", **_GLARE),
        transform="rotate(-5 172 260)",
    )
    return floor_shadow(430, 250) + back + front


def tablet(finish: Finish) -> str:
    """Draw a tablet with its pencil."""
    frame = rect(74, 116, 232, 304, 22, fill="url(#metal)") + rect(82, 124, 216, 288, 15, fill="#101216")
    screen = rect(90, 132, 200, 272, 9, fill="url(#sky)")
    strokes = path(
        "M112 330C150 220 190 380 214 270S262 214 270 196",
        fill="none",
        stroke="#ffffffd9",
        stroke_width=5,
        stroke_linecap="round",
    )
    sun = circle(150, 206, 26, fill="none", stroke="#ffffffb3", stroke_width=3)
    bar = rect(112, 370, 156, 18, 9, fill="#00000040") + "".join(
        circle(126 + step * 26, 379, 5, fill=("#ffffffcc", finish.accent)[step % 2]) for step in range(5)
    )
    pencil = group(
        rect(-5, -130, 10, 236, 5, fill="#f4f1ea")
        + path("M-5 104L0 124L5 104Z", fill="#3a3a3e")
        + rect(-5, -112, 10, 7, fill=finish.accent),
        transform="translate(318 292) rotate(14)",
    )
    return (
        floor_shadow(428, 290)
        + frame
        + screen
        + sun
        + strokes
        + bar
        + path("M90 141L200 132L110 404L90 395Z", **_GLARE)
        + pencil
    )


def laptop(finish: Finish) -> str:
    """Draw an open laptop."""
    lid = rect(74, 132, 252, 176, 12, fill="url(#metal)") + rect(80, 138, 240, 164, 8, fill="#101216")
    screen = rect(86, 144, 228, 148, 4, fill="url(#sky)")
    window = (
        rect(108, 166, 116, 84, 5, fill="#ffffffe6")
        + rect(108, 166, 116, 13, 5, fill="#ffffff")
        + "".join(
            rect(
                116, 188 + step * 9, (92, 70, 84, 48, 66, 30)[step], 3.6, 1.8, fill=(finish.accent, "#9aa3ad")[step > 0]
            )
            for step in range(6)
        )
    )
    side = rect(238, 178, 58, 92, 5, fill="#00000033")
    keys = "".join(
        rect(84 + column * 19.4 - row * 3, 322 + row * 9, 16.5, 6, 1.4, fill="#26282d")
        for row in range(4)
        for column in range(12)
    )
    deck = path("M72 310H328L366 384Q367 390 360 390H40Q33 390 34 384Z", fill="url(#metal)")
    pad = path("M160 362H240L246 382H154Z", fill=darker(finish.colour, 0.12))
    front = path("M34 386Q34 398 44 398H356Q366 398 366 386Q366 390 360 390H40Q34 390 34 386Z", fill=finish.dark)
    return (
        floor_shadow(402, 360)
        + lid
        + screen
        + window
        + side
        + deck
        + keys
        + pad
        + front
        + tag("path", d="M86 148L200 144L120 292L86 288Z", **_GLARE)
    )
