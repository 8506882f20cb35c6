"""Prints from outdoors."""

from __future__ import annotations

import math

from app.media.svg import circle, group, line, n, path, polar, rect, tag

Inks = tuple[str, str, str]


def sunrise(inks: Inks, variety: int) -> str:
    """Draw a sun that stripes dissolve."""
    clip = tag("clipPath", rect(0, 0, 100, 62), id="sky")
    stripes, y = [], 66.0
    for step in range(5):
        width = 88 - step * 15
        stripes.append(
            rect(50 - width / 2, y, width, 5.2 - step * 0.7, 2.5, fill=inks[2 if step % 2 == variety % 2 else 1])
        )
        y += 7
    rays = ""
    if variety % 2:
        rays = "".join(
            line(
                [polar(50, 60, 42, angle), polar(50, 60, 49, angle)],
                stroke=inks[0],
                stroke_width=2.4,
                stroke_linecap="round",
            )
            for angle in range(-75, 76, 25)
        )
    return (
        clip
        + group(circle(50, 60, 36, fill=inks[1]) + circle(50, 60, 25, fill=inks[2]), clip_path="url(#sky)")
        + rays
        + ("".join(stripes))
    )


def mountains(inks: Inks, variety: int) -> str:
    """Draw ridges, one behind the other, in a round frame."""
    ridges = []
    for step in range(4):
        base = 44 + step * 13
        points = [(0.0, 100.0)]
        for column in range(9):
            x = column * 12.5
            high = abs(math.sin(column * 1.7 + step * 2.1 + variety)) * (24 - step * 4)
            points.append((x, base - high))
        points.append((100.0, 100.0))
        ink = (inks[2], inks[1], inks[0], inks[0])[step]
        ridges.append(line(points, closed=True, fill=ink, opacity=(0.75, 0.95, 0.75, 1)[step]))
    clip = tag("clipPath", circle(50, 50, 47), id="round")
    sun = circle(68 if variety % 2 else 34, 28, 9, fill=inks[1])
    frame = circle(50, 50, 47, fill="none", stroke=inks[0], stroke_width=2)
    return clip + group(sun + "".join(ridges), clip_path="url(#round)") + frame


def waves(inks: Inks, variety: int) -> str:
    """Draw a swell in lines."""
    parts = []
    for step in range(10):
        y = 26 + step * 7.2
        height = 6 - step * 0.35
        shift = step * 6 + variety * 11
        curve = "".join(
            f"Q{n(1 + column * 14)} {n(y + (height if (column + shift // 7) % 2 else -height))}"
            f" {n(8 + column * 14)} {n(y)}"
            for column in range(1, 7)
        )
        ink = inks[1] if step % 3 == variety % 3 else inks[0]
        parts.append(path(f"M8 {n(y)}{curve}", fill="none", stroke=ink, stroke_width=2.6, stroke_linecap="round"))
    return circle(70 if variety % 2 else 32, 14, 9, fill=inks[2]) + "".join(parts)


def branch(inks: Inks, variety: int) -> str:
    """Draw a stem with leaves on both sides."""
    leaves = []
    count = 6 + variety % 3 * 2
    for step in range(count):
        place = step / count
        y, x = 90 - place * 76, 50 + math.sin(place * 2.6) * 8
        size = 21 - place * 11
        for side in (-1, 1):
            angle = side * (62 - place * 18)
            leaf = f"M0 0C{n(size * 0.34)} {n(-size * 0.3)} {n(size * 0.34)} {n(-size * 0.9)} 0 {n(-size * 1.3)}"
            leaf += f"C{n(-size * 0.34)} {n(-size * 0.9)} {n(-size * 0.34)} {n(-size * 0.3)} 0 0Z"
            ink = inks[2] if (step + (side > 0)) % 3 == 0 else inks[0]
            leaves.append(path(leaf, fill=ink, transform=f"translate({n(x)} {n(y)}) rotate({n(angle)})"))
    stem = path("M50 98C50 70 62 50 54 8", fill="none", stroke=inks[0], stroke_width=2, stroke_linecap="round")
    fruit = (
        "".join(circle(50 + dx, dy, 3.4, fill=inks[1]) for dx, dy in ((-14, 70), (19, 58), (-6, 42)))
        if variety % 2 == 0
        else ""
    )
    return stem + "".join(leaves) + fruit


def flower(inks: Inks, variety: int) -> str:
    """Draw rings of petals."""
    parts = []
    for ring, (count, size, ink) in enumerate(((14, 44.0, inks[1]), (11, 33.0, inks[2]), (8, 21.0, inks[1]))):
        for step in range(count):
            petal = f"M0 0C{n(size * 0.3)} {n(-size * 0.4)} {n(size * 0.24)} {n(-size)} 0 {n(-size)}"
            petal += f"C{n(-size * 0.24)} {n(-size)} {n(-size * 0.3)} {n(-size * 0.4)} 0 0Z"
            turn = step * 360 / count + ring * 9 + variety * 5
            parts.append(
                path(petal, fill=ink, stroke=inks[0], stroke_width=0.9, transform=f"translate(50 50) rotate({n(turn)})")
            )
    return "".join(parts) + circle(50, 50, 7, fill=inks[0])


def shoal(inks: Inks, variety: int) -> str:
    """Draw fish in rows; one swims the other way."""
    parts = []
    other = 5 + variety % 7
    for index in range(18):
        row, column = divmod(index, 3)
        x, y = 20 + column * 30 + (row % 2) * 8 - 4, 12 + row * 15
        fish = "M-11 0C-6 -6 4 -6 9 0C4 6 -6 6 -11 0ZM8 0L14 -4.5V4.5Z"
        turn = "" if index != other else " scale(-1 1)"
        ink = inks[1] if index == other else inks[0] if index % 4 else inks[2]
        parts.append(group(path(fish, fill=ink), transform=f"translate({x} {y}){turn}"))
    return "".join(parts)


def birds(inks: Inks, variety: int) -> str:
    """Draw birds flying in a wedge past the sun."""
    parts = [circle(60, 56, 25, fill=inks[1 + variety % 2])]
    places = [(50.0, 14.0)] + [(50 + side * step * 10.5, 14 + step * 12.5) for step in range(1, 5) for side in (-1, 1)]
    for index, (x, y) in enumerate(places):
        size = 1.15 - index * 0.035
        wing = "M-9 -3C-5 -6 -2 -4 0 0C2 -4 5 -6 9 -3C5 -3 2 0 0 3.4C-2 0 -5 -3 -9 -3Z"
        parts.append(path(wing, fill=inks[0], transform=f"translate({n(x)} {n(y)}) scale({size:.2f})"))
    return "".join(parts) + path("M14 86H86M26 92H74", stroke=inks[0], stroke_width=2.2, stroke_linecap="round")
