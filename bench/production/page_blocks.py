"""Shell blocks and words of docs/production.md, by the heading below which they stand."""

import re
from dataclasses import dataclass
from pathlib import Path

from shopsphere.foundation.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "production.md"
_HEADING = re.compile(r"(#{1,2}) (?:(\d+)\. )?(.+)")
_SHELL = "```sh"


@dataclass(frozen=True)
class Block:
    """What the page lets its reader type.

    Attributes:
        step: number of the step, or the heading where it has none.
        text: the commands, a newline after each line.
    """

    step: str
    text: str


@dataclass(frozen=True)
class Page:
    """The page, read.

    Attributes:
        blocks: in the order of the page.
        words: text of each step, blanks and line breaks as one blank.
    """

    blocks: tuple[Block, ...]
    words: dict[str, str]


def read_page(text: str) -> Page:
    """Read a page of Markdown; a block of shell begins with three backticks and `sh`."""
    step, within = "", ""
    blocks: list[Block] = []
    words: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if within:
            if line == "```":
                if within == _SHELL:
                    blocks.append(Block(step, "".join(f"{each}\n" for each in lines)))
                within = ""
            lines.append(line)
            continue
        if line.startswith("```"):
            within, lines = line, []
        elif heading := _HEADING.fullmatch(line):
            step = heading[2] or heading[3]
        words.setdefault(step, []).append(line)
    return Page(tuple(blocks), {step: " ".join(" ".join(found).split()) for step, found in words.items()})


def the_page(path: Path = PAGE) -> Page:
    """Read docs/production.md."""
    return read_page(path.read_text())
