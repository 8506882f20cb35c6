"""Small words for drawing SVG: numbers are rounded, so that files stay small and always come out the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Point = tuple[float, float]


def n(value: float) -> str:
    """Return a number with at most one decimal."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def tag(name: str, inner: str = "", **attributes: Any) -> str:
    """Return an element; `stroke_width=2` becomes stroke-width="2"."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{n(value) if isinstance(value, float) else value}"'
        for key, value in attributes.items()
    )
    return f"<{name}{words}>{inner}</{name}>" if inner else f"<{name}{words}/>"


def circle(x: float, y: float, r: float, **attributes: Any) -> str:
    """Return a circle."""
    return tag("circle", cx=n(x), cy=n(y), r=n(r), **attributes)


def rect(x: float, y: float, width: float, height: float, rx: float = 0, **attributes: Any) -> str:
    """Return a rectangle with rounded corners."""
    rounding = {"rx": n(rx)} if rx else {}
    return tag("rect", x=n(x), y=n(y), width=n(width), height=n(height), **rounding, **attributes)


def line(points: Iterable[Point], *, closed: bool = False, **attributes: Any) -> str:
    """Return straight lines through points."""
    path = "L".join(f"{n(x)} {n(y)}" for x, y in points)
    return tag("path", d=f"M{path}{'Z' if closed else ''}", **attributes)


def path(d: str, **attributes: Any) -> str:
    """Return a path."""
    return tag("path", d=d, **attributes)


def group(inner: str, **attributes: Any) -> str:
    """Return a group."""
    return tag("g", inner, **attributes)


def polar(x: float, y: float, radius: float, degrees: float) -> Point:
    """Return the point at a distance and angle; 0 is up, angles go clockwise."""
    angle = math.radians(degrees - 90)
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def mix(colour: str, other: str, share: float) -> str:
    """Return a colour on the way to another one; share 0 is the first, 1 the other."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def lighter(colour: str, share: float) -> str:
    """Return a colour nearer to white."""
    return mix(colour, "#ffffff", share)


def darker(colour: str, share: float) -> str:
    """Return a colour nearer to a warm black."""
    return mix(colour, "#14110f", share)


def luminance(colour: str) -> float:
    """Return how bright a colour looks, 0 to 1."""
    red, green, blue = (value / 255 for value in _channels(colour))
    return float(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2)


def vertical(identity: str, *stops: tuple[str, float]) -> str:
    """Return a gradient from top to bottom; stops are colour and place (0 to 1)."""
    return _gradient(identity, stops, x1=0, y1=0, x2=0, y2=1)


def diagonal(identity: str, *stops: tuple[str, float]) -> str:
    """Return a gradient from the upper left to the lower right."""
    return _gradient(identity, stops, x1=0, y1=0, x2=1, y2=1)


def horizontal(identity: str, *stops: tuple[str, float]) -> str:
    """Return a gradient from left to right."""
    return _gradient(identity, stops, x1=0, y1=0, x2=1, y2=0)


def radial(identity: str, *stops: tuple[str, float], x: float = 0.5, y: float = 0.5, r: float = 0.5) -> str:
    """Return a gradient from a centre outwards."""
    inner = "".join(tag("stop", offset=place, stop_color=colour) for colour, place in stops)
    return tag("radialGradient", inner, id=identity, cx=x, cy=y, r=r)


def _gradient(identity: str, stops: tuple[tuple[str, float], ...], **ends: int) -> str:
    inner = "".join(tag("stop", offset=f"{place:g}", stop_color=colour) for colour, place in stops)
    return tag("linearGradient", inner, id=identity, **ends)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
