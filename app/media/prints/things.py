"""Prints of things made, and of the sky as people draw it."""

from __future__ import annotations

from app.media.svg import circle, line, n, path, polar, rect, tag

Inks = tuple[str, str, str]

_LYRA = ((50, 10), (40, 26), (60, 30), (34, 58), (66, 62), (44, 88), (72, 84))
_LYRA_LINES = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (3, 5), (4, 6))
_ORION = ((28, 14), (70, 18), (40, 46), (49, 50), (58, 54), (32, 86), (74, 82), (50, 6))
_ORION_LINES = ((0, 2), (1, 4), (2, 3), (3, 4), (2, 5), (4, 6), (0, 7), (1, 7))


def constellation(inks: Inks, variety: int) -> str:
    """Draw a constellation in its circle."""
    stars, lines = (_ORION, _ORION_LINES) if variety % 2 else (_LYRA, _LYRA_LINES)
    parts = [
        circle(
            50, 50, 48, fill="none", stroke=inks[0], stroke_width=1.2, stroke_dasharray="1 3.4", stroke_linecap="round"
        )
    ]
    parts += [line([stars[a], stars[b]], stroke=inks[0], stroke_width=1.1) for a, b in lines]
    for index, (x, y) in enumerate(stars):
        size = 5.4 if index in {0, 4} else 3.6
        spikes = [polar(x, y, size if step % 2 == 0 else size * 0.34, step * 45) for step in range(8)]
        parts.append(line(spikes, closed=True, fill=inks[1 if index % 3 else 2]))
    parts += [
        circle(*polar(50, 50, 20 + step * 37 % 24, step * 67 + variety * 9), 0.8, fill=inks[0]) for step in range(14)
    ]
    return "".join(parts)


def moon(inks: Inks, variety: int) -> str:
    """Draw the phases of the moon about a full one."""
    parts = [
        circle(50, 50, 21, fill=inks[1]),
        circle(43, 44, 4.5, fill=inks[2], opacity=0.55),
        circle(57, 56, 6, fill=inks[2], opacity=0.55),
        circle(55, 40, 2.5, fill=inks[2], opacity=0.55),
    ]
    for step in range(8):
        x, y = polar(50, 50, 38, step * 45 + variety % 2 * 22.5)
        r = 7.2
        bend = abs(4 - step) / 4 * 2 - 1  # 1 is new, -1 is full
        side = 1 if step <= 4 else 0  # noqa: PLR2004 waxing until the fourth
        inner = f"A{n(max(abs(bend) * r, 0.1))} {r} 0 0 {int((bend > 0) != (side == 1))} {n(x)} {n(y - r)}"
        parts.append(circle(x, y, r, fill="none", stroke=inks[0], stroke_width=1))
        parts.append(path(f"M{n(x)} {n(y - r)}A{r} {r} 0 0 {side} {n(x)} {n(y + r)}{inner}Z", fill=inks[0]))
    return "".join(parts)


def city(inks: Inks, variety: int) -> str:
    """Draw houses in a row, some of them lit."""
    parts, x = [], 4.0
    heights = (46, 62, 38, 70, 54, 44, 60)
    for index in range(7):
        width = 13
        high = heights[(index + variety) % 7]
        top = 88 - high
        if variety % 2:  # gables along a harbour
            roof = [(x, 88), (x, top + 8), (x + width / 2, top - 3), (x + width, top + 8), (x + width, 88)]
            parts.append(line(roof, closed=True, fill=inks[index % 3]))
        else:
            parts.append(rect(x, top, width - 0.8, high, fill=inks[0 if index % 2 else 2]))
        for row in range(int(high // 12) - 1):
            for column in range(2):
                lit = (index * 5 + row * 3 + column + variety) % 4 == 0
                window = inks[1] if lit else "#00000044"
                parts.append(rect(x + 2.6 + column * 4.8, top + 14 + row * 11, 3, 5, fill=window))
        x += width + 0.2
    water = path("M4 93H96M14 98H86", stroke=inks[0], stroke_width=1.8, stroke_linecap="round")
    return circle(76 if variety % 2 else 22, 13, 7, fill=inks[1]) + "".join(parts) + water


def cassette(inks: Inks, variety: int) -> str:
    """Draw a music cassette with its label."""
    hub = "".join(
        circle(x, 50, 9, fill="none", stroke=inks[0], stroke_width=2.4)
        + "".join(
            line([polar(x, 50, 4, turn), polar(x, 50, 7.5, turn)], stroke=inks[0], stroke_width=2)
            for turn in range(0, 360, 60)
        )
        for x in (33, 67)
    )
    stripes = "".join(rect(12, 30 + step * 3.2, 76, 2.1, fill=inks[(step + variety) % 2 + 1]) for step in range(3))
    return (
        rect(4, 20, 92, 60, 5, fill="none", stroke=inks[0], stroke_width=3)
        + stripes
        + rect(20, 40, 60, 20, 10, fill="none", stroke=inks[0], stroke_width=2)
        + hub
        + tag("path", d="M24 79L29 67H71L76 79", fill="none", stroke=inks[0], stroke_width=2.4)
        + "".join(circle(x, 73, 1.7, fill=inks[1]) for x in (36, 50, 64))
    )
