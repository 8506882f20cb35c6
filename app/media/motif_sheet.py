"""All prints on one sheet, so that a page that offers them loads one file, and the styles that cut it up."""

from __future__ import annotations

from app.catalogue.seed.motifs import MOTIFS
from app.media import prints
from app.media.svg import group

SHEET = "media/motifs.svg"
COLUMNS = 6
CELL = 120  # a print of 100 with air around it
_PAPER = "#fffdf9"


def draw_sheet() -> str:
    """Return the sheet."""
    rows = -(-len(MOTIFS) // COLUMNS)
    cells = "".join(
        group(
            prints.draw(motif.drawing, _PAPER, number),
            transform=f"translate({number % COLUMNS * CELL + 10} {number // COLUMNS * CELL + 10})",
        )
        for number, motif in enumerate(MOTIFS)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * CELL} {rows * CELL}">{cells}</svg>\n'


def styles(address: str) -> str:
    """Return the style of each print's picture."""
    rows = -(-len(MOTIFS) // COLUMNS)
    each = "".join(
        f".motif-{motif.slug}{{background-position:"
        f"{_share(number % COLUMNS, COLUMNS)} {_share(number // COLUMNS, rows)}}}\n"
        for number, motif in enumerate(MOTIFS)
    )
    return f".motif{{background:url({address}) 0 0/{COLUMNS}00% {rows}00%}}\n{each}"


def _share(index: int, count: int) -> str:
    return f"{index * 100 / (count - 1):.4g}%"
