"""Prints made of rules."""

from __future__ import annotations

import math

from app.media.svg import circle, group, line, n, path, polar, rect, tag

Inks = tuple[str, str, str]


def rings(inks: Inks, variety: int) -> str:
    """Draw circles about wandering centres."""
    parts = []
    for step in range(11, 0, -1):
        x, y = polar(50, 50, (11 - step) * 1.5, step * 23 + variety * 40)
        ink = inks[1] if step in {3, 7} else inks[0]
        parts.append(circle(x, y, step * 4.1, fill="none", stroke=ink, stroke_width=1.6 if step % 2 else 2.8))
    return "".join(parts) + circle(*polar(50, 50, 15, 23 + variety * 40), 1.8, fill=inks[2])


def bauhaus(inks: Inks, variety: int) -> str:
    """Draw nine tiles of quarter circles."""
    parts, side = [], 32
    for index in range(9):
        x, y = 2 + index % 3 * side, 2 + index // 3 * side
        turn = (index * 3 + variety) % 4 * 90
        first, second = inks[(index + variety) % 3], inks[(index + variety + 1) % 3]
        kind = (index * 5 + variety) % 4
        if kind == 0:
            shape = path(f"M0 0H{side}A{side} {side} 0 0 1 0 {side}Z", fill=first)
        elif kind == 1:
            shape = path(f"M0 0H{side}V{side / 2}A16 16 0 0 1 0 16Z", fill=first) + circle(16, 16, 6, fill=second)
        elif kind == 2:  # noqa: PLR2004 four kinds of tiles
            shape = circle(16, 16, 15, fill=first) + circle(16, 16, 8, fill=second)
        else:
            shape = path(f"M0 0L{side} {side}H0Z", fill=first) + rect(20, 2, 10, 10, fill=second)
        parts.append(group(shape, transform=f"translate({x} {y}) rotate({turn} 16 16)"))
    return "".join(parts)


def orbits(inks: Inks, variety: int) -> str:
    """Draw ellipses turned about one centre."""
    count = 9 + variety % 4 * 2
    parts = [
        tag(
            "ellipse",
            cx=50,
            cy=50,
            rx=46,
            ry=15 + variety % 3 * 3,
            fill="none",
            stroke=inks[step % 2],
            stroke_width=1.1,
            transform=f"rotate({n(step * 180 / count)} 50 50)",
        )
        for step in range(count)
    ]
    return "".join(parts) + circle(50, 50, 7, fill=inks[2])


def halftone(inks: Inks, variety: int) -> str:
    """Draw a ball in dots that shrink towards the light."""
    parts = []
    light = polar(50, 50, 22, 300 + variety * 15)
    for row in range(15):
        for column in range(15):
            x, y = 5 + column * 6.45 + row % 2 * 3.2 - 1.5, 5 + row * 6.45
            if math.hypot(x - 50, y - 50) > 45:  # noqa: PLR2004 the ball's radius
                continue
            size = 0.5 + math.hypot(x - light[0], y - light[1]) / 70 * 3.1
            parts.append(circle(x, y, min(size, 3.3), fill=inks[0] if size < 2.2 else inks[1]))  # noqa: PLR2004 half shadow
    return "".join(parts)


def arcs(inks: Inks, variety: int) -> str:
    """Draw bows, one in another."""
    parts = []
    for step in range(4):
        radius = 44 - step * 10
        parts.append(
            path(
                f"M{50 - radius} 78A{radius} {radius} 0 0 1 {50 + radius} 78",
                fill="none",
                stroke=inks[(step + variety) % 3],
                stroke_width=7,
            )
        )
    base = rect(4, 82, 92, 4, fill=inks[0])
    return "".join(parts) + base + (circle(82, 22, 7, fill=inks[1]) if variety % 2 else circle(50, 74, 5, fill=inks[1]))


def checks(inks: Inks, variety: int) -> str:
    """Draw a chequered cloth that bulges."""

    def bulge(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - 50, y - 50
        push = 1 + 0.55 * math.exp(-(dx * dx + dy * dy) / 700) * (1 if variety % 2 else -0.8)
        return 50 + dx * push * 0.86, 50 + dy * push * 0.86

    cells, size = [], 10
    for row in range(10):
        for column in range(10):
            if (row + column) % 2:
                continue
            x, y = column * size, row * size
            corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
            ink = inks[1] if (row * 7 + column + variety) % 11 == 0 else inks[0]
            cells.append(line([bulge(*corner) for corner in corners], closed=True, fill=ink))
    return "".join(cells)


def cubes(inks: Inks, variety: int) -> str:
    """Draw cubes that step forward or back."""
    parts, side = [], 15.5
    high = side * math.sqrt(3) / 2
    for row in range(4):
        for column in range(4 if row % 2 == 0 else 3):
            x = 50 + (column - (1.5 if row % 2 == 0 else 1)) * 2 * high * 0.92
            y = 16 + row * side * 1.42
            for face in range(3):
                ends = [polar(x, y, side * 0.9, face * 120 + angle) for angle in (-60, 0, 60)]
                points = [(x, y), *ends]
                parts.append(
                    line(points, closed=True, fill=inks[(face + variety) % 3], stroke=inks[0], stroke_width=0.6)
                )
    return "".join(parts)


def contour(inks: Inks, variety: int) -> str:
    """Draw height lines of a hill."""
    parts = []
    for step in range(9):
        radius = 46 - step * 5
        points = []
        for degrees in range(0, 360, 12):
            wobble = (
                math.sin(math.radians(degrees * 2 + variety * 50)) * 4
                + math.sin(math.radians(degrees * 3 + step * 14)) * 3
            )
            points.append(polar(50 + step * 1.1, 50 - step * 0.9, radius + wobble * radius / 46, degrees))
        ink = inks[1] if step % 4 == 0 else inks[0]
        smooth = "".join(
            f"Q{n(x)} {n(y)} {n((x + nx) / 2)} {n((y + ny) / 2)}"
            for (x, y), (nx, ny) in zip(points, points[1:] + points[:1], strict=True)
        )
        x, y = (points[-1][0] + points[0][0]) / 2, (points[-1][1] + points[0][1]) / 2
        parts.append(path(f"M{n(x)} {n(y)}{smooth}Z", fill="none", stroke=ink, stroke_width=1.3 if step % 4 else 2.2))
    return "".join(parts) + line([(56, 42), (59, 36), (62, 42)], closed=True, fill=inks[2])
