"""The arithmetic of the pictures: where each bar, mark and word stands in a drawing 360 units wide.

A drawing is as wide as its column on the page, from a telephone to a wall. What is not a number is never a bar of
height 0: a withheld figure is a dot, a day that is not here whole is an open box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

WIDTH = 360
LEFT, RIGHT, TOP, BASE, HEIGHT = 44, 354, 12, 132, 156
"""Edges of the bars of days, and the height of their drawing; words stand left of them and below."""
FILLED = 0.72
"""Part of a day's place that its bar takes."""
ROW, BAR = 34, 10
"""Heights of a row of a ranking and of its bar, which stands below its words."""
_ROUND = (1, 2, 3, 4, 6, 8, 10)
"""Leading digits of the end of a scale; half of each is short to write, too."""
_SHORT = ((10**9, "bn"), (10**6, "m"), (10**3, "k"))


class Gap(StrEnum):
    """Why there is no number."""

    SMALL = "small"  # withheld
    INCOMPLETE = "incomplete"  # not all parts are here
    MISSING = "missing"  # nothing is here
    UNSAID = "unsaid"  # all parts are here, and it is in none of them


@dataclass(frozen=True, slots=True)
class Point:
    """One day's figure, as a number or the reason why there is none, and in the words of the table."""

    label: str
    value: float | Gap
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The middle of a place that has no bar, and why."""

    x: float
    y: float
    gap: Gap
    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the drawing; `anchor` says which of its ends stands at x."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing.

    Attributes:
        title: what it shows.
        description: the same in a sentence, for who does not see it.
        height: of the drawing; its width is WIDTH.
        lines: heights of the lines of the scale.
    """

    title: str
    description: str
    height: float
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    words: tuple[Word, ...]
    lines: tuple[float, ...]


def scale_end(largest: float) -> float:
    """Return the round number at which a scale ends that has room for a value; 1 where there is nothing above zero."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(first * power for first in _ROUND if first * power >= largest * (1 - 1e-9))


def short(value: float) -> str:
    """Return a number in a few characters, such as `1.5k`."""
    for size, sign in _SHORT:
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"


def of_days(title: str, points: Sequence[Point]) -> Chart:
    """Return a bar or a mark for each day, the first one left."""
    known = [point for point in points if not isinstance(point.value, Gap)]
    end = scale_end(max((float(point.value) for point in known), default=0.0))
    place = (RIGHT - LEFT) / max(len(points), 1)
    bars: list[Bar] = []
    marks: list[Mark] = []
    for number, point in enumerate(points):
        left, text = LEFT + number * place, f"{point.label}: {point.text}"
        if isinstance(point.value, Gap):
            marks.append(Mark(round(left + place / 2, 2), BASE - 4, point.value, text))
            continue
        height = (BASE - TOP) * max(point.value, 0.0) / end
        x = left + place * (1 - FILLED) / 2
        bars.append(Bar(round(x, 2), round(BASE - height, 2), round(place * FILLED, 2), round(height, 2), text))
    scale = [(BASE, 0.0), ((BASE + TOP) / 2, end / 2), (TOP, end)]
    words = [Word(LEFT - 6, y + 4, short(value), "end") for y, value in scale]
    if points:
        words.append(Word(LEFT, HEIGHT - 6, points[0].label, "start"))
    if len(points) > 1:
        words.append(Word(RIGHT, HEIGHT - 6, points[-1].label, "end"))
    lines = tuple(float(y) for y, _ in scale)
    return Chart(title, _told(points), HEIGHT, tuple(bars), tuple(marks), tuple(words), lines)


def ranked(title: str, points: Sequence[Point]) -> Chart:
    """Return a row for each point, in their order: its words, and a bar below them that is as long as its value."""
    end = max((float(point.value) for point in points if not isinstance(point.value, Gap)), default=0.0) or 1.0
    bars: list[Bar] = []
    marks: list[Mark] = []
    words: list[Word] = []
    for number, point in enumerate(points):
        top, text = number * ROW, f"{point.label}: {point.text}"
        words += [Word(0, top + 14, point.label, "start"), Word(WIDTH, top + 14, point.text, "end")]
        if isinstance(point.value, Gap):
            marks.append(Mark(5, top + 19 + BAR / 2, point.value, text))
        else:
            bars.append(Bar(0, top + 19, round(WIDTH * max(point.value, 0.0) / end, 2), BAR, text))
    return Chart(title, _told(points), max(len(points), 1) * ROW, tuple(bars), tuple(marks), tuple(words), ())


def _told(points: Sequence[Point]) -> str:
    known = [point for point in points if not isinstance(point.value, Gap)]
    if not known:
        return f"None of {len(points)} has a figure."
    largest = max(known, key=lambda point: float(point.value))
    return f"{len(known)} of {len(points)} have a figure; the largest is {largest.text}, {largest.label}."
