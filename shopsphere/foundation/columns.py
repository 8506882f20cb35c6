"""Tables for people: one line per row where the terminal is wide enough, else what does not fit goes below its row."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from shopsphere.foundation.typed_commands import as_typed

GAP = 2
UNBOUNDED = 100_000
"""A pipe has no width: each row is one line, for grep and awk."""

Cell = str | Text


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        is_number: numbers stand right-aligned.
    """

    title: str
    is_number: bool = False


def terminal() -> Console:
    """Return standard output for a person, as wide as the terminal, or for whatever reads the pipe, without a width.

    COLUMNS counts on a terminal only: programs that have a line editor export it to whatever they start.
    """
    width = None if sys.stdout.isatty() else UNBOUNDED
    return Console(width=width, highlight=False, soft_wrap=True)


def columns(*titles: str) -> list[Column]:
    """Return columns by their titles; one that begins with `#` has numbers."""
    return [Column(title.removeprefix("#"), title.startswith("#")) for title in titles]


def table(heads: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int) -> list[Text]:
    """Return a table's lines.

    The first columns that fit stay in line; the others follow below their row, each with its title. So the columns that
    matter most come first.

    Args:
        heads: its columns.
        rows: one cell per column each.
        width: of the terminal, in characters.
    """
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = [max([len(head.title), *(row[place].cell_len for row in cells)]) for place, head in enumerate(heads)]
    fitting = _fitting(widths, width)
    lines = [_line([Text(head.title, style="bold") for head in heads[:fitting]], heads, widths)]
    for row in cells:
        lines.append(_line(row[:fitting], heads, widths))
        lines += _below(list(zip(heads[fitting:], row[fitting:], strict=True)), width)
    return lines


def folded(text: str, width: int, *, first: str = "", indent: str = "  ") -> list[str]:
    """Return a text as lines of at most `width`, its commands as they are to be typed; a longer word stays whole.

    Args:
        text: one line.
        width: in characters.
        first: what stands before it.
        indent: what stands before each further line.
    """
    return textwrap.wrap(
        first + as_typed(text),
        max(width, 20),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def labelled(parts: Mapping[str, str], width: int, *, indent: str = "    ", label: int = 10) -> list[str]:
    """Return texts under one another, each behind its name.

    Args:
        parts: texts by name, each one line.
        width: in characters.
        indent: what stands before each name.
        label: characters that a name with its colon takes.
    """
    below = indent + " " * label
    return [
        line
        for name, text in parts.items()
        for line in folded(text, width, first=f"{indent}{name + ':':<{label}}", indent=below)
    ]


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns fit in line: the first one always does."""
    used, count = 0, 0
    for each in widths:
        used += each + (GAP if count else 0)
        if used > width and count:
            break
        count += 1
    return count


def _line(row: Sequence[Text], heads: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text()
    for place, cell in enumerate(row):
        pad = " " * (widths[place] - cell.cell_len)
        line.append(" " * GAP if place else "")
        line.append(pad if heads[place].is_number else "")
        line.append_text(cell)
        line.append("" if heads[place].is_number else pad)
    line.rstrip()
    return line


def _below(named: Sequence[tuple[Column, Text]], width: int) -> list[Text]:
    """Return the cells that do not fit in line, several to a line where they do."""
    lines: list[Text] = []
    for head, cell in named:
        if cell.plain in {"", "-"}:
            continue
        piece = Text(f"{head.title}: ", style="dim").append_text(cell.copy())
        if lines and lines[-1].cell_len + GAP + 1 + piece.cell_len <= width:
            lines[-1].append(" " * (GAP + 1)).append_text(piece)
        elif piece.cell_len + GAP <= width:
            lines.append(Text(" " * GAP).append_text(piece))
        else:
            lines += [Text(each) for each in folded(piece.plain, width, first=" " * GAP, indent=" " * GAP * 2)]
    return lines
